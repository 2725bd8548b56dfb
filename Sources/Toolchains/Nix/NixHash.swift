// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A hash as Nix writes it, in whichever of its spellings (Nix manual, "Nix Language", section "hash format").
public struct NixHash: Hashable, Sendable, CustomStringConvertible {
    /// The algorithms that every Nix knows, spelt as Nix and in-toto's DigestSet spell them.
    public enum Algorithm: String, CaseIterable, Sendable {
        case md5, sha1, sha256, sha512

        /// Bytes of a hash.
        public var size: Int {
            switch self {
            case .md5: 16
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        }
    }

    public let algorithm: Algorithm
    /// As many as the algorithm's hashes have.
    public let bytes: [UInt8]

    /// Throws unless there are as many bytes as the algorithm's hashes have.
    public init(_ algorithm: Algorithm, bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count == algorithm.size else {
            throw Self.malformed("\(bytes.count) bytes, expected \(algorithm.size) of \(algorithm.rawValue)")
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Reads `sha256-BASE64` (SRI), `sha256:HASH` or, where the algorithm is known, `HASH` alone; `HASH` is hexadecimal,
    /// base 32 of Nix's alphabet or base 64, and its length says which.
    ///
    /// Throws at another algorithm than the known one, a wrong length, upper-case hexadecimal, missing padding, and bits
    /// beyond the last byte, so that a hash has one text in each spelling.
    public init(_ text: String, algorithm known: Algorithm? = nil) throws(MalformedBytes) {
        let mark = text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.utf8.firstIndex(of: UInt8(ascii: "-"))
        guard let mark else {
            guard let known else { throw Self.malformed("no algorithm; expected one such as sha256- before the hash") }
            try self.init(known, bytes: try Self.decode(text, known))
            return
        }
        let name = String(text[..<mark])
        guard let algorithm = Algorithm(rawValue: name) else {
            throw Self.malformed("the unknown algorithm '\(shown(name))'; expected md5, sha1, sha256 or sha512")
        }
        guard known == nil || known == algorithm else {
            throw Self.malformed("a hash of \(name), expected one of \(known?.rawValue ?? "")")
        }
        let hash = String(text[text.index(after: mark)...])
        let isSRI = text.utf8[mark] == UInt8(ascii: "-")
        try self.init(algorithm, bytes: isSRI ? try Base64.decode(hash) : try Self.decode(hash, algorithm))
    }

    /// Lower-case hexadecimal, as DigestSets hold it.
    public var hex: String { Hex.encode(bytes) }
    /// The spelling of flake.lock (W3C Subresource Integrity, section 3.1).
    public var sri: String { "\(algorithm.rawValue)-\(Base64.encode(bytes))" }
    public var description: String { sri }

    private static func decode(_ text: String, _ algorithm: Algorithm) throws(MalformedBytes) -> [UInt8] {
        switch text.utf8.count {
        case algorithm.size * 2:
            let bytes = try Hex.decode(text)
            guard Hex.encode(bytes) == text else { throw malformed("upper-case digits, expected lower case") }
            return bytes
        case Nix32.length(of: algorithm.size): return try Nix32.decode(text)
        case (algorithm.size + 2) / 3 * 4: return try Base64.decode(text)
        default: throw malformed("a length that no hash of \(algorithm.rawValue) has")
        }
    }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "Nix hash", offset: 0, reason: reason)
    }
}

/// Nix's base 32: 32 digits without e, o, u and t, the last five bits of the number first written last (Nix manual,
/// "Store Path Specification").
enum Nix32 {
    private static let digits = Array("0123456789abcdfghijklmnpqrsvwxyz".utf8)

    /// Digits that so many bytes are written with.
    static func length(of bytes: Int) -> Int { (bytes * 8 + 4) / 5 }

    static func isDigit(_ byte: UInt8) -> Bool { digits.contains(byte) }

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for place in (0..<length(of: bytes.count)).reversed() {
            let (index, shift) = (place * 5 / 8, place * 5 % 8)
            let next = index + 1 < bytes.count ? UInt16(bytes[index + 1]) : 0
            text.append(digits[Int((UInt16(bytes[index]) | next << 8) >> UInt16(shift) & 31)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Throws at a character that is no digit, at a length that no bytes have, and at bits beyond the last byte.
    static func decode(_ text: String) throws(MalformedBytes) -> [UInt8] {
        let characters = Array(text.utf8)
        let count = characters.count * 5 / 8
        guard length(of: count) == characters.count else { throw malformed("a length that no bytes encode to", at: 0) }
        var bytes = [UInt8](repeating: 0, count: count)
        for (offset, character) in characters.enumerated() {
            guard let value = digits.firstIndex(of: character) else { throw malformed("not a digit", at: offset) }
            let place = characters.count - 1 - offset
            let (index, bits) = (place * 5 / 8, UInt16(value) << UInt16(place * 5 % 8))
            bytes[index] |= UInt8(truncatingIfNeeded: bits)
            let carried = UInt8(truncatingIfNeeded: bits >> 8)
            if index + 1 < count {
                bytes[index + 1] |= carried
            } else if carried != 0 {
                throw malformed("bits beyond the last byte", at: offset)
            }
        }
        return bytes
    }

    private static func malformed(_ reason: String, at offset: Int) -> MalformedBytes {
        MalformedBytes(format: "Nix base 32", offset: offset, reason: reason)
    }
}
