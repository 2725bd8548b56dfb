// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation

/// The kernel's first root: the modules that lead to the real one, and the two programs that set it up. All of it comes
/// from the list's packages.
struct Initrd {
    let programs: ImagePrograms
    let tools: ImageTools
    let kernel: KernelFiles

    /// Where the programs stand in the guest's root.
    private static let busybox = "bin/busybox"
    private static let mapper = "sbin/dmsetup"

    /// The archive, compressed so that an emulated processor unpacks it fast and has little to measure.
    func make(in folder: String) throws(ImageError) -> [UInt8] {
        var archive = CPIOArchive()
        for path in ["dev", "proc", "sys", "root"] { archive.add(path, .folder) }
        archive.add("init", .file(Array(InitrdProgram.script.utf8), executable: true))
        for path in try [Self.busybox, Self.mapper] + libraries() {
            archive.add(path, .file(try ImageFile.bytes("\(tools.root)/\(path)"), executable: true))
        }
        try addModules(to: &archive)
        let plain = "\(folder)/initrd.cpio"
        try ImageFile.write(archive.bytes(time: ImageFormat.time), to: plain)
        return try tools.run("zstd", ["-19", "--single-thread", "--quiet", "--stdout", plain])
    }

    /// What the dynamic loader of the root would load with the programs, and itself.
    private func libraries() throws(ImageError) -> [String] {
        let output = try programs.run(
            [
                try ImagePrograms.find("chroot", package: "coreutils"), tools.root, "/lib64/ld-linux-x86-64.so.2",
                "--list", "/" + Self.mapper,
            ], named: "the dynamic loader of the root")
        return GuestContents.libraries(String(decoding: output, as: UTF8.self))
            .map { PathParts.names($0).joined(separator: "/") }
    }

    private func addModules(to archive: inout CPIOArchive) throws(ImageError) {
        let required = try kernel.modules(KernelModules.required, optional: false)
        let optional = try kernel.modules(KernelModules.optional, optional: true)
        var names: [String: [String]] = [:]
        for (list, files) in [("required", required), ("optional", optional)] {
            for file in files.files {
                let (name, decompressor) = KernelModules.plainName(file)
                guard !archive.has("modules/\(name)") else { continue }
                let bytes =
                    if let decompressor {
                        try tools.run(decompressor[0], Array(decompressor.dropFirst()))
                    } else {
                        try ImageFile.bytes(file)
                    }
                archive.add("modules/\(name)", .file(bytes, executable: false))
                names[list, default: []].append(name)
            }
            let text = names[list, default: []].map { $0 + "\n" }.joined()
            archive.add("modules/\(list)", .file(Array(text.utf8), executable: false))
        }
    }
}
