// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A kernel's package, unpacked.
struct KernelFiles {
    let tools: ImageTools
    let folder: String
    /// What `uname -r` will say.
    let release: String

    init(_ folder: String, with tools: ImageTools) throws(ImageError) {
        self.folder = folder
        self.tools = tools
        // Newer packages have them in /usr/lib, and modprobe looks in /lib.
        if !FileManager.default.fileExists(atPath: "\(folder)/lib"), symlink("usr/lib", "\(folder)/lib") != 0 {
            throw ImageFile.failure("could not make \(folder)/lib", errno)
        }
        let found = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/lib/modules")) ?? []
        guard found.count == 1, let release = found.first else {
            throw ImageError(
                .content, "the kernel's package has the modules of \(found.count) kernels, expected those of one",
                hint: "take a package such as linux-image-6.12.117+deb12-cloud-amd64, not one that depends on it")
        }
        self.release = release
        try ImageFolder.make("\(folder)/no-settings")
        // The settings of this machine's modules are not those of the image.
        try tools.run("depmod", ["-C", "\(folder)/no-settings", "-b", folder, release], program: "kmod")
    }

    var image: String { "\(folder)/boot/vmlinuz-\(release)" }

    /// The modules, and what they need. Of those that are optional, what this kernel has.
    func modules(_ names: [String], optional: Bool) throws(ImageError) -> KernelModules {
        var modules = KernelModules()
        for name in names {
            let output: [UInt8]
            do {
                output = try tools.run(
                    "modprobe",
                    ["-C", "\(folder)/no-settings", "-d", folder, "-S", release, "--show-depends", name],
                    program: "kmod")
            } catch  where error.code == .program {
                if optional { continue }
                throw ImageError(
                    .content, "the kernel \(release) has no module '\(name)', without which no guest gets to its root",
                    hint: "take another kernel with --kernel")
            }
            try modules.add(dependencies: String(decoding: output, as: UTF8.self))
        }
        return modules
    }
}
