// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Archives
import Builds
import ByteCoding
import Foundation

/// Files of collateral of this machine.
enum CollateralFiles {
    /// The contents of files, and of those in folders, by their paths. Folders within folders are not looked into, nor
    /// are files whose names begin with a dot.
    static func read(_ places: [String]) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for place in places {
            for path in try paths(in: place) {
                guard files.count < CollateralSet.maximumFiles else {
                    throw CommandFailure("more than \(CollateralSet.maximumFiles) files of collateral")
                }
                files[path] = try content(of: path)
            }
        }
        return files
    }

    private static func paths(in place: String) throws -> [String] {
        var status = stat()
        guard stat(place, &status) == 0 else {
            throw CommandFailure("\(Console.plain(place)) could not be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [place] }
        let paths = try FolderNames.list(place).filter { !$0.hasPrefix(".") }.map { "\(place)/\($0)" }
        return try paths.sorted().filter { path in
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw CommandFailure("\(Console.plain(path)) could not be read: \(String(cString: strerror(errno)))")
            }
            return status.st_mode & S_IFMT != S_IFDIR
        }
    }

    static func content(of path: String) throws -> [UInt8] {
        let limit = CollateralSet.maximumFileSize
        do {
            let file = try OpenFile(
                reading: URL(fileURLWithPath: path).resolvingSymlinksInPath().path, otherwise: .source)
            let buffer = FileBuffer()
            var bytes: [UInt8] = []
            while case let count = try file.read(into: buffer.bytes), count > 0 {
                bytes.append(contentsOf: buffer.prefix(count))
                guard bytes.count <= limit else {
                    throw CommandFailure("\(Console.plain(path)) has more than \(limit) bytes, so it is no collateral")
                }
            }
            return bytes
        } catch let failure as BuildFailure {
            throw CommandFailure(Console.plain(failure.message))
        }
    }
}
