// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where an image is made, and by whom.
enum ImagePlace {
    /// Throws where no image can be made here.
    static func check(_ output: String) throws(ImageError) {
        guard geteuid() == 0 else {
            throw ImageError(
                .host, "an image is made as root: the files of its root belong to several users",
                hint: "run it with sudo, or as root in a container")
        }
        let names = try? FileManager.default.contentsOfDirectory(atPath: output)
        guard names?.isEmpty ?? !FileManager.default.fileExists(atPath: output) else {
            throw ImageError(.file, "\(output) is there already", hint: "remove it, or name another folder")
        }
    }

    /// Throws where there is no program of the guest: better now than when its root is made.
    static func check(guest path: String) throws(ImageError) {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw ImageError(
                .content, "there is no program of the guest at \(path)", hint: "name 'cupel-guest' with --guest")
        }
    }

    /// The folder in which `output` will stand. It is made if it is not there.
    static func parent(of output: String) throws(ImageError) -> String {
        let parent = URL(filePath: output, directoryHint: .isDirectory).standardizedFileURL
            .deletingLastPathComponent().path
        try ImageFolder.make(parent)
        return parent
    }

    static func move(_ folder: String, to output: String) throws(ImageError) {
        guard chmod(folder, 0o755) == 0, rename(folder, output) == 0 else {
            throw ImageFile.failure("could not make \(output)", errno)
        }
    }
}
