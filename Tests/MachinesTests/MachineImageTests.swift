// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Machines
import Measurements
import Testing

/// A folder that goes away with the value.
final class ImageTestFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "cupel-image-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: some Sequence<UInt8>, _ name: String) throws {
        let url = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }
}

@Suite struct MachineImageTests {
    private let folder: ImageTestFolder

    init() throws {
        folder = try ImageTestFolder()
        var files: [String: ImageDescription.File] = [:]
        for name in ImageDescription.Name.all {
            let bytes = Array("the bytes of \(name)".utf8)
            try folder.write(bytes, name)
            files[name] = .init(size: bytes.count, sha256: Digest256(of: bytes))
        }
        let root = Digest256(of: [])
        let description = ImageDescription(
            name: "cupel-guest", version: "1.0.0", kernelRelease: "6.12.1",
            commandLine: "quiet cupel.roothash=\(root.hex) cupel.hashoffset=8", rootHash: root, hashOffset: 8,
            files: files)
        try folder.write(description.canonicalBytes, "image.json")
    }

    @Test func isReadWhole() throws {
        let image = try MachineImage(folder: folder.path)
        #expect(image.description.hashOffset == 8)
        #expect(image.path("vmlinuz") == "\(folder.path)/vmlinuz")
    }

    @Test(arguments: ImageDescription.Name.all + ["image.json"])
    func missesAFile(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        #expect { try MachineImage(folder: folder.path) } throws: { error in
            (error as? MachineError)?.code == .unusable && "\(error)".contains(name)
        }
    }

    @Test(arguments: ImageDescription.Name.all)
    func hasAFileOfAnotherImage(_ name: String) throws {
        try folder.write("The bytes of \(name)".utf8, name)
        #expect { try MachineImage(folder: folder.path) } throws: { error in
            (error as? MachineError)?.code == .unusable && "\(error)".contains("\(name) has")
        }
    }

    @Test func hasNoReadableDescription() throws {
        try folder.write("{}".utf8, "image.json")
        #expect { try MachineImage(folder: folder.path) } throws: { error in
            (error as? MachineError)?.code == .unusable
        }
    }

    @Test func hasALinkToNothingButRegularFiles() throws {
        try FileManager.default.removeItem(atPath: "\(folder.path)/initrd")
        try FileManager.default.createDirectory(atPath: "\(folder.path)/initrd", withIntermediateDirectories: false)
        #expect { try MachineImage(folder: folder.path) } throws: { error in
            "\(error)".contains("no regular file")
        }
    }
}
