// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Measurements

/// The steps from a recipe to the files of an image.
struct ImageWorkshop {
    let recipe: ImageRecipe
    /// For the parts. It is removed by whoever made it.
    let folder: String
    /// For the image's files.
    let output: String
    let programs: ImagePrograms
    let report: @Sendable (String) -> Void

    private var root: String { "\(folder)/root" }
    private var tools: ImageTools { ImageTools(programs: programs, root: root, tools: "\(folder)/tools") }

    func make() throws(ImageError) -> ImageDescription {
        _ = try ImagePrograms.find("mmdebstrap", package: "mmdebstrap")
        let archives = try gather()
        if let saved = recipe.savedPackages { try archives.save(to: saved) }
        try makeRoot(archives)
        let kernel = try KernelFiles("\(folder)/kernel", with: tools)
        let disk = try makeDisk()
        let commandLine = ImageFormat.commandLine(
            rootHash: disk.rootHash, hashOffset: disk.hashOffset, appended: recipe.appendedWords)
        report("making initrd and uki.efi, of Linux \(kernel.release)")
        try ImageFile.write(try ImageFile.bytes(kernel.image), to: "\(output)/\(ImageDescription.Name.kernel)")
        let initrd = Initrd(programs: programs, tools: tools, kernel: kernel)
        try ImageFile.write(try initrd.make(in: folder), to: "\(output)/\(ImageDescription.Name.initrd)")
        try makeUnifiedKernel(commandLine, release: kernel.release)
        let lines = (archives.list[.root] + archives.list[.kernel] + archives.list[.stub]).map { $0.line + "\n" }
        try ImageFile.write(Array(lines.sorted().joined().utf8), to: "\(output)/\(ImageDescription.Name.packages)")
        return try describe(kernel.release, commandLine, disk)
    }

    /// All archives, each compared with its digest.
    private func gather() throws(ImageError) -> PackageArchives {
        let archives = "\(folder)/archives"
        try ImageFolder.make(archives)
        var list = recipe.packages
        if let path = recipe.kernelPackage {
            list = list.with(kernel: try KernelPackage.read(path, with: programs))
        }
        let own = recipe.kernelPackage.flatMap { path in list[.kernel].first.map { [$0: path] } } ?? [:]
        if let saved = recipe.packageFolder {
            report("taking \(list.all.count) packages from \(saved)")
            return try PackageArchives(list, saved: saved, own: own, into: archives)
        }
        report("fetching \(list.all.count) packages with apt")
        let apt = try AptPackages(programs, folder: "\(folder)/apt")
        return try PackageArchives(list, with: apt, own: own, into: archives)
    }

    private func makeRoot(_ archives: PackageArchives) throws(ImageError) {
        report("installing \(archives.list[.root].count) packages in the guest's root")
        let tree = RootTree(programs: programs, archives: archives, path: root)
        try tree.install(repository: "\(folder)/repository")
        for (part, name) in [(PackageList.Part.tools, "tools"), (.kernel, "kernel"), (.stub, "stub")] {
            for package in archives.list[part] {
                try programs.run([
                    try ImagePrograms.find("dpkg-deb", package: "dpkg"), "--extract", archives.path(package),
                    "\(folder)/\(name)",
                ])
            }
        }
        try tree.check(with: tools)
        try tree.clean()
        try GuestContents(programs: programs, tools: tools).add(guest: recipe.guest, settings: recipe.settings)
        try RootDigests(root: root).write()
    }

    /// root.img: erofs, then dm-verity's hash tree over it.
    private func makeDisk() throws(ImageError) -> (rootHash: Digest256, hashOffset: Int) {
        report("making root.img")
        let image = "\(output)/\(ImageDescription.Name.root)"
        // Extended attributes are left out: they hold what the file system of this machine gave to the files.
        try tools.run(
            "mkfs.erofs",
            ["-zlz4hc", "-x-1", "-T\(ImageFormat.time)", "-U", ImageFormat.rootUUID, "--quiet", image, root])
        let size = try ImageFile.size(image)
        let offset = (size + ImageFormat.block - 1) / ImageFormat.block * ImageFormat.block
        guard truncate(image, off_t(offset)) == 0 else { throw ImageFile.failure("could not write \(image)", errno) }
        let answer = try tools.run(
            "veritysetup",
            [
                "format", "--hash=sha256", "--salt=\(ImageFormat.veritySalt)", "--uuid=\(ImageFormat.verityUUID)",
                "--data-block-size=\(ImageFormat.block)", "--hash-block-size=\(ImageFormat.block)",
                "--data-blocks=\(offset / ImageFormat.block)", "--hash-offset=\(offset)", image, image,
            ])
        guard chmod(image, 0o644) == 0 else { throw ImageFile.failure("could not write \(image)", errno) }
        return (try Self.rootHash(String(decoding: answer, as: UTF8.self)), offset)
    }

    /// Reads "Root hash:      <64 digits>".
    static func rootHash(_ answer: String) throws(ImageError) -> Digest256 {
        let lines = answer.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("Root hash:") }
        guard lines.count == 1, let word = lines[0].split(whereSeparator: \.isWhitespace).last,
            let digest = try? Digest256(hex: String(word))
        else {
            throw ImageError(.program, "veritysetup answered '\(answer)', expected a root hash in it")
        }
        return digest
    }

    private func makeUnifiedKernel(_ commandLine: String, release: String) throws(ImageError) {
        let stub = "\(folder)/stub/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
        let texts = [
            ("osrel", Array(ImageFormat.release(version: recipe.version).utf8)),
            ("cmdline", KernelSections.commandLineBytes(commandLine)), ("uname", Array(release.utf8)),
        ]
        for (name, bytes) in texts { try ImageFile.write(bytes, to: "\(folder)/\(name)") }
        let files =
            texts.map { (".\($0.0)", "\(folder)/\($0.0)") }
            + [
                (".linux", "\(output)/\(ImageDescription.Name.kernel)"),
                (".initrd", "\(output)/\(ImageDescription.Name.initrd)"),
            ]
        var sections: [KernelSections.Section] = []
        for (name, file) in files {
            sections.append(.init(name: name, file: file, size: try ImageFile.size(file)))
        }
        let path = "\(output)/\(ImageDescription.Name.unifiedKernel)"
        let arguments = KernelSections.arguments(adding: sections, to: try Self.program(stub))
        try tools.run("objcopy", arguments + [stub, path])
        var program = try Self.program(path)
        program.removeTime()
        try ImageFile.write(program.bytes, to: path)
        try Self.check(program, commandLine)
    }

    private static func program(_ path: String) throws(ImageError) -> EFIProgram {
        let bytes = try ImageFile.bytes(path)
        do {
            return try EFIProgram(bytes)
        } catch {
            throw ImageError(.content, "the EFI stub of the list's package cannot be used: \(error)")
        }
    }

    /// Throws where nobody could compute what hardware will report of it.
    private static func check(_ program: EFIProgram, _ commandLine: String) throws(ImageError) {
        let found: String
        do {
            found = try UnifiedKernel(decoding: program.bytes).commandLine
        } catch {
            throw ImageError(.content, "\(ImageDescription.Name.unifiedKernel) cannot be measured: \(error)")
        }
        guard found == commandLine else {
            throw ImageError(.content, "\(ImageDescription.Name.unifiedKernel) has the command line '\(found)'")
        }
    }

    /// Writes `image.json`, and reads the whole image as those will that use it.
    private func describe(
        _ release: String, _ commandLine: String, _ disk: (rootHash: Digest256, hashOffset: Int)
    ) throws(ImageError) -> ImageDescription {
        var files: [String: ImageDescription.File] = [:]
        for name in ImageDescription.Name.all { files[name] = try ImageFile.read("\(output)/\(name)") }
        let description = ImageDescription(
            name: ImageFormat.name, version: recipe.version, kernelRelease: release, commandLine: commandLine,
            rootHash: disk.rootHash, hashOffset: disk.hashOffset, files: files)
        try ImageFile.write(description.canonicalBytes, to: "\(output)/image.json")
        do {
            return try MachineImage(folder: output).description
        } catch {
            throw ImageError(.content, error.message)
        }
    }
}
