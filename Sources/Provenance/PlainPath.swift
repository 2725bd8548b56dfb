// SPDX-License-Identifier: Apache-2.0

/// What a name below `artifacts/` may be.
enum PlainPath {
    /// Whether a path is relative and stays where it is: no empty, `.` or `..` parts, no backslashes, no control
    /// characters.
    static func isPlain(_ path: String) -> Bool {
        parts(of: path).allSatisfy { part in !part.isEmpty && part != Self.here && part != Self.up }
            && hasPlainCharacters(path)
    }

    /// Whether there is no backslash and no control character.
    static func hasPlainCharacters(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0 != "\\" }
    }

    /// By bytes: to Swift a letter and a combining mark after `/` would be one character.
    static func parts(of path: String) -> [[UInt8]] {
        path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
    }

    static let here = Array(".".utf8)
    static let up = Array("..".utf8)
}
