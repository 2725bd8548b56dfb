// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// How to launch a guest, as one file: Independent Guest Virtual Machine (Microsoft, the crate `igvm_defs`, which is the
/// format's specification). What concerns SEV-SNP is read.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 4 | magic | "IGVM" |
/// | 4 | 4 | format_version | 1, or 2 |
/// | 8 | 4 | variable_header_offset | |
/// | 12 | 4 | variable_header_size | |
/// | 16 | 4 | total_file_size | |
/// | 20 | 4 | checksum | CRC-32 of all headers, itself zero |
/// | 24 | 4, 4 | architecture, page_size | version 2 only: 0, 4096 |
///
/// The variable header is a list of structures: type (4), length (4), content, and zeros to a multiple of 8. A type with
/// its highest bit set may be skipped by who does not know it; others may not.
public struct IGVMFile: Sendable {
    /// Bytes; a larger file is refused.
    public static let maximumSize = 512 << 20

    /// What is launched, in this order.
    enum Directive: Sendable, Equatable {
        /// Content in the file, and zeros to the page's end; `nil` for a page of zeros.
        case page(SNPLaunchDigest.PageType, address: UInt64, content: Range<Int>?)
        /// Pages that are not measured.
        case unmeasured(address: UInt64, size: UInt64)
        /// The state of a processor.
        case saveArea(address: UInt64, content: Range<Int>, processor: Int)
    }

    let bytes: [UInt8]
    let directives: [Directive]
    /// What the file's ID block says that the digest is; 48 bytes.
    public let statedDigest: [UInt8]?

    /// Throws where the file is malformed, has structures that are not known, or none for SEV-SNP.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count <= Self.maximumSize else {
            throw MalformedBytes(format: "IGVM file", offset: 0, reason: "more than \(Self.maximumSize) bytes")
        }
        var reader = IGVMReader(bytes, try Self.variableHeader(bytes))
        try reader.read()
        self.bytes = bytes
        directives = reader.directives
        statedDigest = reader.statedDigest
    }

    /// Whether a file begins as one.
    public static func isRecognised(_ bytes: [UInt8]) -> Bool { bytes.starts(with: Array("IGVM".utf8)) }

    private static func variableHeader(_ bytes: [UInt8]) throws(MalformedBytes) -> Range<Int> {
        var cursor = ByteCursor(bytes.count > 32 ? Array(bytes[..<32]) : bytes, format: "IGVM file")
        guard try cursor.bytes(0, 4, "magic") == Array("IGVM".utf8) else {
            throw cursor.malformed("magic", "not 'IGVM'")
        }
        let version = try cursor.uint32(4, "format_version")
        guard (1...2).contains(version) else {
            throw cursor.malformed("format_version", "\(version), only 1 and 2 are known")
        }
        let start = Int(try cursor.uint32(8, "variable_header_offset"))
        let size = Int(try cursor.uint32(12, "variable_header_size"))
        let total = Int(try cursor.uint32(16, "total_file_size"))
        guard total == bytes.count else {
            throw cursor.malformed("total_file_size", "\(total) bytes, the file has \(bytes.count)")
        }
        let checksum = try cursor.uint32(20, "checksum")
        if version == 2 {
            guard try cursor.uint32(24, "architecture") == 0 else {
                throw cursor.malformed("architecture", "not x86-64")
            }
            guard try cursor.uint32(28, "page_size") == 4096 else { throw cursor.malformed("page_size", "not 4096") }
        }
        guard start == cursor.offset, size <= bytes.count - start else {
            throw cursor.malformed("variable_header_offset", "\(size) bytes at \(start), expected at \(cursor.offset)")
        }
        let head = bytes[..<20] + [0, 0, 0, 0] + bytes[24..<start + size]
        guard Self.checksum(of: head) == checksum else { throw cursor.malformed("checksum", "it does not fit") }
        return start..<start + size
    }

    /// CRC-32 (ISO 3309).
    private static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
    }
}
