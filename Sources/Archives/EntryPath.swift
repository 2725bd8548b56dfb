// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// The place of an entry within its archive, checked: relative, below the archive's root, never through `..`.
struct EntryPath {
    /// Bytes of one name, as in Linux.
    private static let nameLimit = 255

    /// At least one; none is empty, `.` or `..`.
    let components: [String]

    /// `nil` for the archive's own root (`./`).
    init?(_ name: String, limits: BuildLimits) throws(BuildFailure) {
        guard !PathParts.isAbsolute(name) else {
            throw BuildFailure(.source, "the archive holds the absolute path '\(printable(name))'")
        }
        guard name.utf8.count <= limits.pathLength else {
            throw BuildFailure(
                .resourceLimit,
                "the archive holds a path of \(name.utf8.count) bytes, allowed are \(limits.pathLength)"
                    + " ('\(printable(name))')")
        }
        components = PathParts.names(name).filter { $0 != "." }
        guard !components.contains("..") else {
            throw BuildFailure(.source, "the archive holds the path '\(printable(name))', which leads out of it")
        }
        guard components.count <= limits.pathDepth else {
            throw BuildFailure(
                .resourceLimit,
                "the archive nests \(components.count) folders, allowed are \(limits.pathDepth)"
                    + " ('\(printable(name))')")
        }
        if let long = components.first(where: { $0.utf8.count > Self.nameLimit }) {
            throw BuildFailure(
                .resourceLimit,
                "the archive holds a name of \(long.utf8.count) bytes, allowed are \(Self.nameLimit)"
                    + " ('\(printable(name))')")
        }
        if components.isEmpty { return nil }
    }

    var text: String { components.joined(separator: "/") }
    var bytes: [UInt8] { Array(text.utf8) }

    /// The folders above this entry, outermost first.
    var parents: [String] {
        (1..<components.count).map { components[..<$0].joined(separator: "/") }
    }
}
