// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Measurements

/// What is to be measured: an image's folder, or a kernel alone, or neither.
struct MeasuredFiles {
    let name: String
    let version: String
    /// For SEV-SNP; `nil` where the guest boots by other means.
    let hashes: SNPKernelHashes?
    /// For TDX and TPMs; `nil` without an image.
    let unifiedKernel: UnifiedKernel?

    /// Bytes; larger files are not read.
    static let limit = 1 << 30

    /// An image's folder: each file that is measured is compared with `image.json`, and the unified kernel with the files
    /// that it was made of.
    init(folder: String) throws {
        let description = try Self.inWords("\(folder)/image.json") {
            try ImageDescription(parsing: InputFile.read("\(folder)/image.json", limit: ImageDescription.maximumSize))
        }
        typealias Name = ImageDescription.Name
        let kernel = try Self.read(Name.kernel, in: folder, description)
        let initrd = try Self.read(Name.initrd, in: folder, description)
        let program = try Self.read(Name.unifiedKernel, in: folder, description)
        let unified = try Self.inWords("\(folder)/\(Name.unifiedKernel)") { try UnifiedKernel(decoding: program) }
        let parts = [
            (Name.kernel, kernel == unified.kernelBytes), (Name.initrd, initrd == unified.initrdBytes),
            ("the command line", description.commandLine == unified.commandLine),
        ]
        if let other = parts.first(where: { !$0.1 }) {
            throw CommandFailure(
                Console.plain("\(folder)/\(Name.unifiedKernel) was not made of this image: \(other.0) differs"),
                hint: "make the image again with 'cupel image build'")
        }
        (name, version) = (description.name, description.version)
        hashes = SNPKernelHashes(
            kernel: Digest256(of: kernel), initrd: Digest256(of: initrd), commandLine: description.commandLine)
        unifiedKernel = unified
    }

    /// A kernel alone, or what has its own, which `path` names.
    init(named path: String, kernel: String?, initrd: String?, append: String?) throws {
        name = PathParts.last(kernel ?? path) ?? "guest"
        version = "unversioned"
        hashes = try kernel.map { kernel in
            SNPKernelHashes(
                kernel: Digest256(of: try InputFile.read(kernel, limit: Self.limit)),
                initrd: try initrd.map { Digest256(of: try InputFile.read($0, limit: Self.limit)) },
                commandLine: append ?? "")
        }
        unifiedKernel = nil
    }

    private static func read(_ name: String, in folder: String, _ description: ImageDescription) throws -> [UInt8] {
        let bytes = try InputFile.read("\(folder)/\(name)", limit: limit)
        let digest = Digest256(of: bytes)
        guard let stated = description.files[name], stated.sha256 == digest else {
            throw CommandFailure(
                Console.plain("\(folder)/\(name) is not the file that image.json describes: its SHA-256 is \(digest)"),
                hint: "take the whole folder as 'cupel image build' made it")
        }
        return bytes
    }

    /// Puts the file's name before what is wrong in it.
    static func inWords<Value>(_ path: String, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch let error as MalformedBytes {
            throw CommandFailure(Console.plain("\(path): \(error)"))
        }
    }
}
