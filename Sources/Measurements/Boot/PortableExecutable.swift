// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import Crypto

/// An EFI program: PE32+ (Microsoft, "PE Format").
///
/// Only files of which every reader has the same reading are taken: sections follow the headers and each other without
/// a gap, and signatures stand at the end. Of others, programs disagree which bytes a digest covers.
public struct PortableExecutable: Sendable {
    public struct Section: Hashable, Sendable {
        /// As it stands in the header, without the zeros at its end.
        public let name: String
        /// Bytes in memory (VirtualSize).
        public let size: Int
        public let address: Int
        /// In the file, padded to its alignment.
        public let content: Range<Int>
    }

    public let bytes: [UInt8]
    /// In the header's order.
    public let sections: [Section]
    private let layout: Layout

    /// Places in the file.
    struct Layout {
        let checkSum: Int
        /// The entry of the certificate table in the data directory; `nil` where the directory is too short.
        let certificates: Int?
        let headersEnd: Int
        /// Where signatures begin, or the file ends.
        let signaturesStart: Int
    }

    /// Throws where a header is malformed, and at gaps, overlaps, and bytes that belong to nothing.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        self.bytes = bytes
        (sections, layout) = try PortableExecutableHeaders(bytes).read()
    }

    /// The digest that firmware measures, and signatures are made over (Microsoft, "Windows Authenticode Portable
    /// Executable Signature Format", "Calculating the PE Image Hash"): of the file without its checksum, the entry of
    /// its certificate table, and the table.
    public func authenticodeDigest<Hash: HashFunction>(_: Hash.Type) -> [UInt8] {
        var hash = Hash()
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for skipped in [(layout.checkSum, 4), layout.certificates.map { ($0, 8) }].compactMap({ $0 }) {
                hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<skipped.0]))
                start = skipped.0 + skipped.1
            }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<layout.signaturesStart]))
        }
        return Array(hash.finalize())
    }

    /// A section as it lies in memory: its content up to its size.
    func content(_ section: Section) -> [UInt8] {
        Array(bytes[section.content.lowerBound..<section.content.lowerBound + section.size])
    }
}
