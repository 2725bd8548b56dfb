// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Folders that an image is made in.
enum ImageFolder {
    static func make(_ path: String) throws(ImageError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        } catch {
            throw ImageError(.file, "could not make the folder \(path): \(error.localizedDescription)")
        }
    }

    /// A folder of our own in `parent`, with a name that nobody else has.
    static func makeOwn(in parent: String) throws(ImageError) -> String {
        var template = Array("\(parent)/.cupel-image-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ImageFile.failure("could not make a folder in \(parent)", errno)
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    /// Removes what is in a folder. That the folder is not there is no error.
    static func empty(_ path: String) throws(ImageError) {
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: path) {
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
            }
        } catch CocoaError.fileReadNoSuchFile {
            return
        } catch {
            throw ImageError(.file, "could not empty the folder \(path): \(error.localizedDescription)")
        }
    }

    static func copy(_ source: String, to path: String) throws(ImageError) {
        do {
            try FileManager.default.copyItem(atPath: source, toPath: path)
        } catch {
            throw ImageError(.file, "could not copy \(source) to \(path): \(error.localizedDescription)")
        }
    }
}
