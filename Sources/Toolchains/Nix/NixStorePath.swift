// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A path directly within a Nix store: `/nix/store/HASH-NAME` (Nix manual, "Store Path Specification").
public struct NixStorePath: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Where Nix keeps its store unless it is told otherwise.
    public static let standardDirectory = "/nix/store"
    /// Bytes of the longest name.
    public static let maximumNameLength = 211

    private static let hashLength = 32

    /// The store, absolute and without a slash at its end.
    public let directory: String
    /// 32 digits of Nix's base 32.
    public let hash: String
    /// What follows the hash and its hyphen.
    public let name: String

    /// Throws unless the text is a store path of `directory` itself, not one within it.
    public init(_ text: String, directory: String = standardDirectory) throws(MalformedBytes) {
        let prefix = directory + "/"
        guard text.hasPrefix(prefix), text.utf8.count < 4096 else {
            throw Self.malformed(text, "expected one in \(directory)")
        }
        let base = Array(text.utf8.dropFirst(prefix.utf8.count))
        guard base.count > Self.hashLength, base[Self.hashLength] == UInt8(ascii: "-"),
            base[..<Self.hashLength].allSatisfy(Nix32.isDigit)
        else { throw Self.malformed(text, "expected 32 digits of Nix's base 32 and a hyphen") }
        let name = String(decoding: base[(Self.hashLength + 1)...], as: UTF8.self)
        guard Self.isName(name) else { throw Self.malformed(text, "its name is none that Nix allows") }
        self.directory = directory
        self.hash = String(decoding: base[..<Self.hashLength], as: UTF8.self)
        self.name = name
    }

    private init(type: String, digest: Digest256, name: String, directory: String) throws(MalformedBytes) {
        guard Self.isName(name) else { throw Self.malformed(name, "the name is none that Nix allows") }
        let fingerprint = Digest256(of: Array("\(type):sha256:\(digest.hex):\(directory):\(name)".utf8))
        var folded = [UInt8](repeating: 0, count: 20)
        for (index, byte) in fingerprint.bytes.enumerated() { folded[index % 20] ^= byte }
        self.directory = directory
        hash = Nix32.encode(folded)
        self.name = name
    }

    /// Where Nix puts a text, such as a derivation, that names `references` (the specification's type `text`).
    public init(
        ofText text: [UInt8], name: String, references: some Sequence<NixStorePath>,
        directory: String = standardDirectory
    ) throws(MalformedBytes) {
        let type = (["text"] + references.sorted().map(\.description)).joined(separator: ":")
        try self.init(type: type, digest: Digest256(of: text), name: name, directory: directory)
    }

    /// Where Nix puts what has a known hash (the specification's types `source` and `output:out`).
    public init(
        ofFixedOutput output: NixFixedOutput, name: String, directory: String = standardDirectory
    ) throws(MalformedBytes) {
        if output.mode == .archive, output.hash.algorithm == .sha256 {
            let digest = try Digest256(rawBytes: output.hash.bytes)
            try self.init(type: "source", digest: digest, name: name, directory: directory)
            return
        }
        let method = output.mode == .archive ? "r:" : ""
        let description = "fixed:out:\(method)\(output.hash.algorithm.rawValue):\(output.hash.hex):"
        try self.init(
            type: "output:out", digest: Digest256(of: Array(description.utf8)), name: name, directory: directory)
    }

    /// `HASH-NAME`.
    public var baseName: String { "\(hash)-\(name)" }
    public var description: String { "\(directory)/\(baseName)" }
    /// Whether it is a derivation, by its name.
    public var isDerivation: Bool { name.hasSuffix(".drv") }

    /// By bytes, as Nix sorts them.
    public static func < (left: NixStorePath, right: NixStorePath) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }

    /// Letters, digits and `+-._?=`, at most 211, and no first part (up to a hyphen) that is `.` or `..`.
    static func isName(_ name: String) -> Bool {
        let first = name.prefix { $0 != "-" }
        return (1...maximumNameLength).contains(name.utf8.count) && first != "." && first != ".."
            && name.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "?"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    private static func malformed(_ text: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "store path '\(shown(text))'", offset: 0, reason: reason)
    }
}
