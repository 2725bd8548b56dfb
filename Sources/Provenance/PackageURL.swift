// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// A package URL (ECMA-427): `pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS#SUBPATH`, split into its parts. Types have rules
/// of their own, which are not checked.
struct PackageURL {
    /// All before the version, as it was written.
    let withoutVersion: String
    /// With the version, as it was written.
    let withoutQualifiers: String
    /// Decoded; `nil` where there is none.
    let namespace: String?
    /// Decoded.
    let name: String
    /// Decoded; `nil` where there is none.
    let version: String?
    /// Decoded, by their keys.
    let qualifiers: [String: String]

    /// `nil` for what is no package URL.
    init?(_ text: String) {
        guard text.hasPrefix("pkg:") else { return nil }
        let (start, end) = Self.halves(Self.halves(text, at: "#").0, at: "?")
        var path = start
        var version: Substring?
        if let place = start.lastIndex(of: "@"), start.lastIndex(of: "/").map({ $0 < place }) ?? false {
            (path, version) = (start[..<place], start[start.index(after: place)...])
        }
        let parts = path.dropFirst("pkg:".count).split(separator: "/").compactMap(Self.decoded)
        guard parts.count >= 2, let name = parts.last else { return nil }
        withoutVersion = String(path)
        withoutQualifiers = String(start)
        namespace = parts.count > 2 ? parts[1..<(parts.count - 1)].joined(separator: "/") : nil
        self.name = name
        self.version = version.flatMap(Self.decoded)
        qualifiers = Self.qualifiers(end ?? "")
    }

    private static func qualifiers(_ text: Substring) -> [String: String] {
        var found: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let (key, value) = halves(pair, at: "=")
            found[String(key)] = value.flatMap(decoded)
        }
        return found
    }

    /// What stands before the first `separator` and after it; nothing after it where it does not occur.
    private static func halves(
        _ text: some StringProtocol, at separator: Character
    ) -> (Substring, Substring?) {
        let text = Substring(text)
        guard let place = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<place], text[text.index(after: place)...])
    }

    /// Without percent-encoding (RFC 3986, section 2.1); `nil` where that is broken or the text is empty.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), let value = try? Hex.decode(digits), value.count == 1 else {
                return nil
            }
            bytes += value
            rest = rest.dropFirst(2)
        }
        return bytes.isEmpty ? nil : String(validating: bytes, as: UTF8.self)
    }
}
