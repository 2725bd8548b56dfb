// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import Foundation

/// Copies a folder of this machine into a workspace: files, folders and symbolic links, nothing else.
///
/// Left out are a top-level `.git`, and folders that hold a `CACHEDIR.TAG` (bford.info/cachedir), with which cargo and
/// others mark what they can make again.
struct FolderCopy {
    private let source: String
    private let destination: String
    private let limits: BuildLimits
    private let log: @Sendable (String) -> Void
    private let buffer = FileBuffer()
    private var size: Int64 = 0
    private var count = 0

    private static let cacheTag = "Signature: 8a477f597d28d172789f06886806bc55"

    init(from source: String, to destination: String, limits: BuildLimits, log: @escaping @Sendable (String) -> Void) {
        self.source = source
        self.destination = destination
        self.limits = limits
        self.log = log
    }

    mutating func run(_ checkpoint: () throws(BuildFailure) -> Void) throws(BuildFailure) {
        try copyFolder("", depth: 0, checkpoint)
    }

    private mutating func copyFolder(
        _ path: String, depth: Int, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) {
        guard depth <= limits.pathDepth else {
            throw BuildFailure(.resourceLimit, "the source nests more than \(limits.pathDepth) folders")
        }
        for child in try FolderListing(source + path, shownAs: path).children {
            try checkpoint()
            if depth == 0, child.name == ".git" { continue }
            let place = path + "/" + child.name
            count += 1
            guard count <= limits.fileCount else {
                throw BuildFailure(.resourceLimit, "the source holds more than \(limits.fileCount) files")
            }
            switch child.kind {
            case .file(let executable): try copyFile(place, executable: executable, checkpoint)
            case .link: try copyLink(place)
            case .folder:
                if isCache(place) {
                    log(
                        "The folder \(printable(place.dropFirst(1).description)) is left out: its CACHEDIR.TAG says cache"
                    )
                    continue
                }
                guard mkdir(destination + place, 0o755) == 0 else { throw writingFailed(place) }
                try copyFolder(place, depth: depth + 1, checkpoint)
            }
        }
    }

    private mutating func copyFile(
        _ path: String, executable: Bool, _ checkpoint: () throws(BuildFailure) -> Void
    ) throws(BuildFailure) {
        let original = try OpenFile(reading: source + path, otherwise: .source)
        let copy = try OpenFile(creating: destination + path, mode: executable ? 0o755 : 0o644)
        while case let count = try original.read(into: buffer.bytes), count > 0 {
            size += Int64(count)
            guard size <= limits.unpackedSize else {
                throw BuildFailure(.resourceLimit, "the source is larger than \(limits.unpackedSize) bytes")
            }
            try copy.write(buffer.prefix(count))
            try checkpoint()
        }
    }

    private func copyLink(_ path: String) throws(BuildFailure) {
        let target = try FolderListing.target(ofLink: source + path, shownAs: path, limits: limits)
        guard symlink(target, destination + path) == 0 else { throw writingFailed(path) }
    }

    private func isCache(_ path: String) -> Bool {
        guard let tag = try? OpenFile(reading: source + path + "/CACHEDIR.TAG", otherwise: .source),
            let count = try? tag.read(into: buffer.bytes)
        else { return false }
        return buffer.bytes[..<count].starts(with: Self.cacheTag.utf8)
    }
}
