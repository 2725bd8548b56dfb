// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
import Measurements

/// What making an EFI program takes of its headers, beyond what measuring it does (Microsoft, PE Format, "COFF File
/// Header" and "Optional Header").
///
/// | place | size | field |
/// |---|---|---|
/// | 60 | 4 | where "PE" and two zeros stand |
/// | PE + 8 | 4 | TimeDateStamp |
/// | PE + 48 | 8 | ImageBase |
/// | PE + 56 | 4 | SectionAlignment |
/// | PE + 88 | 4 | CheckSum |
package struct EFIProgram {
    package private(set) var bytes: [UInt8]
    private let header: Int
    /// The address from which those of sections count.
    package let base: Int
    /// Sections begin at multiples of this.
    package let alignment: Int
    /// Where the last section ends, counted from ``base``.
    package let end: Int

    package init(_ bytes: [UInt8]) throws(MalformedBytes) {
        let program = try PortableExecutable(decoding: bytes)
        self.bytes = bytes
        var cursor = ByteCursor(Array(bytes.dropFirst(60)), format: "EFI program")
        header = Int(try cursor.uint32("e_lfanew"))
        cursor = ByteCursor(Array(bytes.dropFirst(header + 48)), format: "EFI program")
        let base = try cursor.uint64(0, "ImageBase")
        alignment = Int(try cursor.uint32(8, "SectionAlignment"))
        // Far below what could overflow when sections are added.
        guard base < 1 << 62, alignment.nonzeroBitCount == 1, alignment >= 512 else {
            throw MalformedBytes(
                format: "EFI program", field: "SectionAlignment", offset: header + 56,
                reason: "a power of two from 512 expected, found \(alignment), at the base \(base)")
        }
        self.base = Int(base)
        end = program.sections.reduce(0) { max($0, $1.address + $1.size) }
    }

    /// Sets TimeDateStamp and CheckSum to zero: both say when the program was linked, the second as it counts the first.
    package mutating func removeTime() {
        for offset in [header + 8, header + 88] {
            for index in offset..<offset + 4 { bytes[index] = 0 }
        }
    }
}
