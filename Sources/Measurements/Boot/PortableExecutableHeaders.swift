// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Reads the headers of a ``PortableExecutable``.
///
/// | place | size | field |
/// |---|---|---|
/// | 0 | 2 | "MZ" |
/// | 60 | 4 | where "PE" and two zeros stand |
/// | PE + 6 | 2 | NumberOfSections |
/// | PE + 20 | 2 | SizeOfOptionalHeader |
/// | PE + 24 | 2 | Magic: 0x20B, PE32+ |
/// | PE + 84 | 4 | SizeOfHeaders |
/// | PE + 88 | 4 | CheckSum |
/// | PE + 132 | 4 | NumberOfRvaAndSizes |
/// | PE + 136 | 8 each | the data directory; its fifth entry is the certificate table's offset and size |
/// | after it | 40 each | sections: Name (8), VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData (4 each), … |
struct PortableExecutableHeaders {
    private let bytes: [UInt8]

    /// The loaders of firmware take no more.
    private static let maximumSections = 96
    private static let directoryStart = 112
    private static let certificateTable = 4
    private static let sectionSize = 40

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read() throws(MalformedBytes) -> ([PortableExecutable.Section], PortableExecutable.Layout) {
        guard bytes.starts(with: Array("MZ".utf8)), bytes.count >= 64 else { throw malformed("e_magic", 0, "no 'MZ'") }
        let start = try uint32(60, "e_lfanew")
        guard start >= 64, start.isMultiple(of: 8), start < bytes.count - 24,
            Array(bytes[start..<start + 4]) == Array("PE\0\0".utf8)
        else { throw malformed("Signature", start, "no 'PE'") }
        let optional = start + 24
        guard try uint16(optional, "Magic") == 0x20B else { throw malformed("Magic", optional, "not PE32+") }
        let entries = try uint32(optional + Self.directoryStart - 4, "NumberOfRvaAndSizes")
        let optionalSize = try uint16(start + 20, "SizeOfOptionalHeader")
        guard entries <= 16, optionalSize == Self.directoryStart + 8 * entries else {
            throw malformed("SizeOfOptionalHeader", start + 20, "\(optionalSize) bytes for \(entries) entries")
        }
        let count = try uint16(start + 6, "NumberOfSections")
        guard (1...Self.maximumSections).contains(count) else {
            throw malformed("NumberOfSections", start + 6, "\(count), expected 1 to \(Self.maximumSections)")
        }
        let table = optional + optionalSize
        let headersEnd = try uint32(optional + 60, "SizeOfHeaders")
        guard headersEnd >= table + count * Self.sectionSize, headersEnd <= bytes.count else {
            throw malformed("SizeOfHeaders", optional + 60, "\(headersEnd) bytes")
        }
        var sections: [PortableExecutable.Section] = []
        for index in 0..<count { sections.append(try section(at: table + index * Self.sectionSize)) }
        let end = try checkOrder(sections, after: headersEnd)
        let certificates =
            entries > Self.certificateTable ? optional + Self.directoryStart + 8 * Self.certificateTable : nil
        let layout = PortableExecutable.Layout(
            checkSum: optional + 64, certificates: certificates, headersEnd: headersEnd,
            signaturesStart: try signatures(certificates, after: end))
        return (sections, layout)
    }

    private func section(at offset: Int) throws(MalformedBytes) -> PortableExecutable.Section {
        guard offset + Self.sectionSize <= bytes.count else { throw malformed("section", offset, "beyond the end") }
        let name = bytes[offset..<offset + 8]
        let text = name.prefix { $0 != 0 }
        guard !text.isEmpty, text.allSatisfy({ (0x21...0x7E).contains($0) }),
            name[(offset + text.count)...].allSatisfy({ $0 == 0 })
        else { throw malformed("Name", offset, "no name of printable characters") }
        let size = try uint32(offset + 8, "VirtualSize")
        let rawSize = try uint32(offset + 16, "SizeOfRawData")
        let pointer = try uint32(offset + 20, "PointerToRawData")
        guard pointer <= bytes.count, rawSize <= bytes.count - pointer else {
            throw malformed("PointerToRawData", offset + 20, "\(rawSize) bytes at \(pointer) of \(bytes.count)")
        }
        return PortableExecutable.Section(
            name: String(decoding: text, as: UTF8.self), size: size,
            address: try uint32(offset + 12, "VirtualAddress"), content: pointer..<pointer + rawSize)
    }

    /// Sections with content follow each other; returns where the last one ends.
    private func checkOrder(
        _ sections: [PortableExecutable.Section], after start: Int
    ) throws(MalformedBytes) -> Int {
        var end = start
        for section in sections.filter({ !$0.content.isEmpty }).sorted(by: {
            $0.content.lowerBound < $1.content.lowerBound
        }) {
            guard section.content.lowerBound == end else {
                throw malformed(
                    section.name, section.content.lowerBound,
                    "expected at \(end), right after what is before it: there is a gap or an overlap")
            }
            end = section.content.upperBound
        }
        var address = 0
        for section in sections.sorted(by: { $0.address < $1.address }) {
            guard section.address >= address else {
                throw malformed(section.name, 0, "it overlaps another section in memory")
            }
            address = section.address + max(section.size, 1)
        }
        return end
    }

    /// Where the signatures begin: they fill the rest of the file.
    private func signatures(_ entry: Int?, after end: Int) throws(MalformedBytes) -> Int {
        guard let entry else { return bytes.count }
        let start = try uint32(entry, "certificate table")
        let size = try uint32(entry + 4, "certificate table")
        guard size > 0 else {
            guard start == 0 else { throw malformed("certificate table", entry, "an offset without a size") }
            return bytes.count
        }
        guard start >= end, start.isMultiple(of: 8), size <= bytes.count, start == bytes.count - size else {
            throw malformed("certificate table", entry, "\(size) bytes at \(start), expected at the file's end")
        }
        return start
    }

    private func uint32(_ offset: Int, _ field: String) throws(MalformedBytes) -> Int {
        try uint16(offset, field) | uint16(offset + 2, field) << 16
    }

    private func uint16(_ offset: Int, _ field: String) throws(MalformedBytes) -> Int {
        guard offset + 2 <= bytes.count else { throw malformed(field, offset, "beyond the end") }
        return Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
    }

    private func malformed(_ field: String, _ offset: Int, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "EFI program", field: field, offset: offset, reason: reason)
    }
}
