// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Foundation
import Verification

/// Reads a bundle from its folder or its tarball: the two signed files and collateral whole, of all
/// others the digest.
enum BundleReader {
    /// Bytes of provenance.json and of evidence.json; larger ones are not read.
    static let documentLimit = 64 << 20

    /// - Parameter wantsLog: whether the lines of `build.log` are to be compared with events that somebody saw.
    static func read(_ path: String, wantsLog: Bool = false) throws -> BundleContents {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw CommandFailure("\(path) could not be read: \(String(cString: strerror(errno)))")
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return try readFolder(path, wantsLog)
        case S_IFREG: return try readTarball(URL(fileURLWithPath: path).resolvingSymlinksInPath().path, wantsLog)
        default: throw CommandFailure("\(path) is neither a folder nor a file")
        }
    }

    private static func readFolder(_ root: String, _ wantsLog: Bool) throws -> BundleContents {
        var parts = BundleParts(wantsLog: wantsLog)
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try FolderNames.list("\(root)/\(folder)") {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                var status = stat()
                guard lstat("\(root)/\(path)", &status) == 0 else {
                    throw CommandFailure(
                        "\(Console.plain(path)) could not be read: \(String(cString: strerror(errno)))")
                }
                switch status.st_mode & S_IFMT {
                case S_IFDIR: folders.append(path)
                case S_IFREG: try addFile(path, in: root, to: &parts)
                case S_IFLNK: addLink(path, in: root, to: &parts)
                default: parts.addOther(path)
                }
            }
        }
        return try parts.contents(of: root)
    }

    private static func addFile(_ path: String, in root: String, to parts: inout BundleParts) throws {
        if BundleParts.documents.contains(path) {
            return parts.add(document: path, try bytes(of: path, in: root, limit: documentLimit))
        }
        if parts.takesLog(path) { return try addLog(path, in: root, to: &parts) }
        let size = try OpenFile(reading: "\(root)/\(path)", otherwise: .source).size()
        if parts.takesCollateral(path, size: size) {
            let bytes = try bytes(of: path, in: root, limit: BundleContents.maximumCollateralSize)
            return parts.add(collateral: path, bytes)
        }
        let (sha256, length) = try FileDigest.read("\(root)/\(path)")
        parts.add(path, sha256: sha256, size: length)
    }

    private static func addLog(_ path: String, in root: String, to parts: inout BundleParts) throws {
        let file = try OpenFile(reading: "\(root)/\(path)", otherwise: .source)
        let buffer = FileBuffer()
        var log = LogSummary.Stream()
        var size: Int64 = 0
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            log.append(buffer.prefix(count))
            size += Int64(count)
        }
        parts.add(log: path, log.summary, size: size)
    }

    /// A link with a text that is not UTF-8 is none that a provenance could state.
    private static func addLink(_ path: String, in root: String, to parts: inout BundleParts) {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("\(root)/\(path)", &buffer, buffer.count)
        guard count > 0, count < buffer.count, let target = String(validating: buffer.prefix(count), as: UTF8.self)
        else { return parts.addOther(path) }
        parts.add(link: path, to: target)
    }

    private static func bytes(of path: String, in root: String, limit: Int) throws -> [UInt8] {
        let file = try OpenFile(reading: "\(root)/\(path)", otherwise: .source)
        guard try file.size() <= Int64(limit) else { throw tooLarge(path, limit) }
        let buffer = FileBuffer()
        var bytes: [UInt8] = []
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            bytes.append(contentsOf: buffer.prefix(count))
            guard bytes.count <= limit else { throw tooLarge(path, limit) }
        }
        return bytes
    }

    /// A tarball has one top folder, which is no part of the paths.
    private static func readTarball(_ file: String, _ wantsLog: Bool) throws -> BundleContents {
        var parts = BundleParts(wantsLog: wantsLog)
        var top: Substring?
        do {
            try forEachEntry(ofTarGzip: file, limits: BuildLimits()) { (entry, content) throws(BuildFailure) in
                let components = entry.path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1).map { Substring($0) }
                guard let first = components.first, top.map({ $0.utf8.elementsEqual(first.utf8) }) ?? true else {
                    throw BuildFailure(.source, "the tarball has more than one top folder, so it is no bundle")
                }
                top = first
                if components.count == 1, entry.kind == .folder { return }
                guard components.count == 2 else {
                    throw BuildFailure(
                        .source, "the tarball holds a file outside of its top folder, so it is no bundle")
                }
                try add(entry, String(components[1]), content, to: &parts)
            }
        } catch {
            throw CommandFailure("\(file) could not be read: \(Console.plain(error.message))")
        }
        return try parts.contents(of: file)
    }

    private static func add(
        _ entry: TarEntry, _ path: String, _ content: TarEntryContent, to parts: inout BundleParts
    ) throws(BuildFailure) {
        switch entry.kind {
        case .folder: return
        case .link(let target): parts.add(link: path, to: target)
        case .hardLink: parts.addOther(path)
        case .file where BundleParts.documents.contains(path):
            parts.add(document: path, try content.bytes(limit: documentLimit))
        case .file where parts.takesCollateral(path, size: entry.size):
            parts.add(collateral: path, try content.bytes(limit: BundleContents.maximumCollateralSize))
        case .file where parts.takesLog(path):
            var log = LogSummary.Stream()
            while let block = try content.nextBlock() { log.append(block) }
            parts.add(log: path, log.summary, size: entry.size)
        case .file: parts.add(path, sha256: try content.sha256(), size: entry.size)
        }
    }

    private static func tooLarge(_ path: String, _ limit: Int) -> CommandFailure {
        CommandFailure("\(Console.plain(path)) has more than \(limit) bytes")
    }
}
