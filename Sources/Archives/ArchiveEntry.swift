// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import CArchive

/// One entry of an archive, checked as far as that is possible without the others.
struct ArchiveEntry {
    enum Kind: Equatable {
        /// Set-user-id and all other mode bits are dropped.
        case file(executable: Bool)
        case folder
        case link(target: String)
        /// Another name for a file that came before.
        case hardLink(target: String)
    }

    let path: EntryPath
    let kind: Kind
    /// Bytes of a file; 0 for all else.
    let size: Int64

    /// `nil` for the archive's own root.
    init?(_ header: OpaquePointer, limits: BuildLimits) throws(BuildFailure) {
        guard let name = archive_entry_pathname(header).flatMap({ String(validatingCString: $0) }), !name.isEmpty
        else { throw BuildFailure(.source, "the archive holds a name that is not UTF-8, or none") }
        guard archive_entry_is_encrypted(header) == 0 else {
            throw BuildFailure(.source, "the archive's entry '\(printable(name))' is encrypted")
        }
        let kind = try Self.kind(header, name: name)
        guard let path = try EntryPath(name, limits: limits) else {
            guard kind == .folder else {
                throw BuildFailure(.source, "the archive's entry '\(printable(name))' has no usable name")
            }
            return nil
        }
        self.path = path
        self.kind = kind
        size = try Self.size(header, kind: kind, name: name)
    }

    private static func kind(_ header: OpaquePointer, name: String) throws(BuildFailure) -> Kind {
        if let target = archive_entry_hardlink(header) {
            return .hardLink(target: try text(target, in: name))
        }
        switch UInt32(archive_entry_filetype(header)) {
        case 0o100000: return .file(executable: archive_entry_perm(header) & 0o100 != 0)
        case 0o040000: return .folder
        case 0o120000:
            guard let target = archive_entry_symlink(header) else {
                throw BuildFailure(.source, "the archive's link '\(printable(name))' has no target that is UTF-8")
            }
            return .link(target: try text(target, in: name))
        default:
            throw BuildFailure(
                .source,
                "the archive's entry '\(printable(name))' is a device, FIFO or socket;"
                    + " a source is made of files, folders and links")
        }
    }

    private static func text(_ target: UnsafePointer<CChar>, in name: String) throws(BuildFailure) -> String {
        guard let text = String(validatingCString: target), !text.isEmpty else {
            throw BuildFailure(.source, "the archive's link '\(printable(name))' has no target that is UTF-8")
        }
        return text
    }

    private static func size(_ header: OpaquePointer, kind: Kind, name: String) throws(BuildFailure) -> Int64 {
        let size = archive_entry_size_is_set(header) != 0 ? archive_entry_size(header) : 0
        guard size >= 0 else { throw BuildFailure(.source, "the archive's entry '\(printable(name))' has no size") }
        switch kind {
        case .file: return size
        case .hardLink where size > 0:
            throw BuildFailure(.source, "the archive's hard link '\(printable(name))' has a content of its own")
        case .folder, .link, .hardLink: return 0
        }
    }
}
