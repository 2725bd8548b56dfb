// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import Foundation

/// What stands in one folder, in git's order, which is the order of whole paths' bytes: by name, a folder's as if it
/// ended in `/`.
struct FolderListing {
    enum Kind: Hashable {
        case file(executable: Bool)
        case folder
        case link
    }

    struct Child: Hashable {
        let name: String
        let kind: Kind
    }

    let children: [Child]

    /// Throws `SourceError` at names that are not UTF-8 and at anything but files, folders and symbolic links.
    init(_ folder: String, shownAs shown: String) throws(BuildFailure) {
        guard let stream = opendir(folder) else {
            throw BuildFailure(.source, "the folder '\(printable(shown))' could not be read: \(systemError())")
        }
        defer { closedir(stream) }
        var children: [Child] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee)) {
                    String(validatingCString: $0)
                }
            }
            guard let name else {
                throw BuildFailure(.source, "the folder '\(printable(shown))' holds a name that is not UTF-8")
            }
            if name != ".", name != ".." {
                children.append(Child(name: name, kind: try Self.kind(folder + "/" + name, shownAs: shown, name)))
            }
            errno = 0
        }
        guard errno == 0 else {
            throw BuildFailure(.source, "the folder '\(printable(shown))' could not be read: \(systemError())")
        }
        self.children = Self.sorted(children)
    }

    private static func sorted(_ children: [Child]) -> [Child] {
        let keyed = children.map { (key: Array(($0.kind == .folder ? $0.name + "/" : $0.name).utf8), child: $0) }
        return keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.child)
    }

    private static func kind(_ path: String, shownAs shown: String, _ name: String) throws(BuildFailure) -> Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw BuildFailure(.source, "'\(printable(name))' could not be examined: \(systemError())")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(executable: status.st_mode & 0o100 != 0)
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default:
            let place = shown.isEmpty ? name : shown + "/" + name
            throw BuildFailure(
                .source,
                "'\(printable(place))' is a device, FIFO or socket; a source is made of files, folders and links")
        }
    }

    /// The target's text. Throws `SourceError` where it is not UTF-8, or longer than a path may be.
    static func target(
        ofLink path: String, shownAs shown: String, limits: BuildLimits
    ) throws(BuildFailure) -> String {
        var characters = [CChar](repeating: 0, count: limits.pathLength + 1)
        let count = readlink(path, &characters, characters.count)
        let bytes = characters.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        guard count > 0, count <= limits.pathLength, let text = String(validating: bytes, as: UTF8.self)
        else {
            throw BuildFailure(
                .source,
                "the link '\(printable(shown))' has no target that is UTF-8 of at most \(limits.pathLength) bytes")
        }
        return text
    }
}
