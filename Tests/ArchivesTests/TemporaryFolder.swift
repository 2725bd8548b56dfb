// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An empty folder that goes away with this value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/archives-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A folder within, made if need be.
    func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        return path + "/" + name
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }
}

/// All that is below `folder`: relative paths with their modes, sorted, and the contents of files.
func contents(of folder: String) throws -> [String: String] {
    var found: [String: String] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
        let path = folder + "/" + name
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let mode = String((attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0, radix: 8)
        switch attributes[.type] as? FileAttributeType {
        case FileAttributeType.typeDirectory: found[name] = "folder \(mode)"
        case FileAttributeType.typeSymbolicLink:
            found[name] = "link " + (try FileManager.default.destinationOfSymbolicLink(atPath: path))
        default: found[name] = "file \(mode) " + (try String(contentsOfFile: path, encoding: .utf8))
        }
    }
    return found
}

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
