// SPDX-License-Identifier: Apache-2.0

/// Takes paths apart by bytes, as the kernel does.
///
/// To Swift a slash and what combines with it are one character: `"\u{600}/"` and `"/\u{301}"` hold no character `"/"`.
/// So the methods of `String` do not see all slashes of a path that a stranger wrote, and the kernel does.
package enum PathParts {
    private static let slash = UInt8(ascii: "/")

    /// What stands between slashes: an empty text where two are in a row, or one is at an end.
    package static func all(_ path: some StringProtocol) -> [String] {
        path.utf8.split(separator: slash, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What stands between slashes, without the empty texts.
    package static func names(_ path: some StringProtocol) -> [String] { all(path).filter { !$0.isEmpty } }

    /// The last of the ``names(_:)``; `nil` where there is none.
    package static func last(_ path: some StringProtocol) -> String? { names(path).last }

    package static func isAbsolute(_ path: some StringProtocol) -> Bool { path.utf8.first == slash }

    /// Whether a path is relative and stays where it is: no empty, `.` or `..` parts, and no zero byte, at which the
    /// kernel would cut it off.
    package static func isPlain(_ path: some StringProtocol) -> Bool {
        !path.utf8.contains(0) && all(path).allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// What follows `folder` and a slash; `nil` where the path does not begin with these bytes.
    package static func below(_ folder: String, _ path: String) -> String? {
        let prefix = Array(folder.utf8) + [slash]
        guard path.utf8.starts(with: prefix) else { return nil }
        return String(decoding: path.utf8.dropFirst(prefix.count), as: UTF8.self)
    }

    /// Where a relative path leads from the folder with the names `base`, by its text alone; `nil` where it leads above
    /// the top at some step.
    package static func lexical(_ path: some StringProtocol, from base: [String]) -> [String]? {
        var parts = base
        for part in names(path) where part != "." {
            guard part == ".." else {
                parts.append(part)
                continue
            }
            guard parts.popLast() != nil else { return nil }
        }
        return parts
    }
}
