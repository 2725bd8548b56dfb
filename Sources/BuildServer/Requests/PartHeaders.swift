// SPDX-License-Identifier: Apache-2.0

/// The headers of one part of a form (RFC 7578, section 4.2): which field it is, and the file's name.
package struct PartHeaders: Hashable, Sendable {
    package let name: String
    package let fileName: String?

    /// `nil` unless there is one `Content-Disposition: form-data` with a name.
    package init?(_ bytes: some Collection<UInt8>) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let prefix = "content-disposition:"
        let lines = text.split(separator: "\r\n").filter { $0.lowercased().hasPrefix(prefix) }
        guard lines.count == 1, let value = HeaderValue(String(lines[0].dropFirst(prefix.count))),
            value.main == "form-data", let name = value.parameters["name"]
        else { return nil }
        self.name = name
        // Browsers write a quotation mark in a file's name as %22.
        fileName = value.parameters["filename"].map { $0.split(separator: "%22", omittingEmptySubsequences: false) }
            .map { $0.joined(separator: "\"") }
    }
}

/// A header's value with parameters: `multipart/form-data; boundary="x"`.
package struct HeaderValue: Hashable, Sendable {
    /// Lower case.
    package let main: String
    /// By lower-case name, quotation marks removed.
    package let parameters: [String: String]

    /// `nil` where a parameter has no value, stands twice, or a quotation mark is not closed.
    package init?(_ text: String) {
        var rest = Substring(text)
        main = Self.trim(rest.prefix { $0 != ";" }).lowercased()
        rest = rest.drop { $0 != ";" }
        var parameters: [String: String] = [:]
        while rest.popFirst() != nil {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard !rest.isEmpty else { break }
            let name = Self.trim(rest.prefix { $0 != "=" && $0 != ";" }).lowercased()
            rest = rest.drop { $0 != "=" && $0 != ";" }
            guard rest.popFirst() == "=", let value = Self.value(&rest) else { return nil }
            guard parameters.updateValue(value, forKey: name) == nil else { return nil }
        }
        self.parameters = parameters
    }

    private static func value(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let token = trim(rest.prefix { $0 != ";" })
            rest = rest.drop { $0 != ";" }
            return token
        }
        rest.removeFirst()
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"":
                rest = rest.drop { $0 != ";" }
                return value
            case "\\":
                // Old browsers send whole Windows paths: a backslash escapes only what must be escaped.
                guard let next = rest.first else { return nil }
                if next == "\"" || next == "\\" { rest.removeFirst() }
                value.append(next == "\"" ? "\"" : "\\")
            default: value.append(character)
            }
        }
        return nil
    }

    private static func trim(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
