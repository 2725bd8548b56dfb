// SPDX-License-Identifier: Apache-2.0
import Crypto

/// A SHA-256 digest (FIPS 180-4): 32 bytes, shown as 64 lower-case hexadecimal digits.
public struct Digest256: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Always 32 bytes.
    public let bytes: [UInt8]

    /// Digests `bytes`. For what does not fit in memory, see ``Digest256/Stream``.
    public init(of bytes: [UInt8]) {
        self.bytes = Array(SHA256.hash(data: bytes))
    }

    /// Throws unless there are exactly 32 bytes.
    public init(rawBytes bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count == 32 else {
            throw MalformedBytes(format: "SHA-256 digest", offset: 0, reason: "\(bytes.count) bytes, expected 32")
        }
        self.bytes = bytes
    }

    /// Throws unless `hex` is exactly 64 lower-case hexadecimal digits, the form of in-toto's DigestSet.
    public init(hex: String) throws(MalformedBytes) {
        let bytes = try Hex.decode(hex)
        guard Hex.encode(bytes) == hex else {
            throw MalformedBytes(format: "SHA-256 digest", offset: 0, reason: "upper-case digits, expected lower case")
        }
        try self.init(rawBytes: bytes)
    }

    public var hex: String { Hex.encode(bytes) }
    public var description: String { hex }

    public static func < (left: Digest256, right: Digest256) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// A digest being computed piece by piece.
    public struct Stream: Sendable {
        private var hash = SHA256()

        public init() {}

        public mutating func update(_ bytes: [UInt8]) { hash.update(data: bytes) }
        public mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

        /// The digest of all bytes so far; more may follow.
        public var digest: Digest256 { Digest256(finished: hash.finalize()) }
    }

    private init(finished digest: SHA256.Digest) { bytes = Array(digest) }
}
