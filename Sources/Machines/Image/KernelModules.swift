// SPDX-License-Identifier: Apache-2.0
import ByteCoding

/// The modules of a kernel that an initrd loads, in an order in which each finds what it needs.
package struct KernelModules: Equatable {
    /// Without these no machine gets as far as its root, or as its program.
    static let required = [
        "virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "dm-verity", "dm-crypt", "xts",
        "erofs", "ext4", "configfs",
    ]
    /// What a kernel may lack, and a machine refuse: processors that do it faster, and the drivers of confidential
    /// machines.
    static let optional = ["sha256_ssse3", "aesni_intel", "tsm", "sev-guest", "tdx_guest"]

    /// Files as `modprobe --show-depends` names them, each once, in order.
    package private(set) var files: [String] = []

    package init() {}

    /// Adds what `modprobe --show-depends` said of one module: lines "insmod FILE" and "builtin NAME".
    package mutating func add(dependencies output: String) throws(ImageError) {
        for line in output.split(whereSeparator: \.isNewline) where !line.hasPrefix("builtin ") {
            // Options would follow the file. No settings are read that could give some.
            var file = line.hasPrefix("insmod ") ? String(line.dropFirst(7)) : ""
            while file.last == " " { file.removeLast() }
            guard Self.plainName(file).name.hasSuffix(".ko") else {
                throw ImageError(.content, "modprobe answered '\(line)', expected the file of a module")
            }
            if !files.contains(file) { files.append(file) }
        }
    }

    /// The name of a module's file without what it was compressed with: "erofs.ko".
    package static func plainName(_ file: String) -> (name: String, decompressor: [String]?) {
        let name = PathParts.last(file) ?? file
        for (suffix, program) in [(".xz", "xz"), (".zst", "zstd"), (".gz", "gzip")] where name.hasSuffix(suffix) {
            return (String(name.dropLast(suffix.count)), [program, "-d", "-c", file])
        }
        return (name, nil)
    }
}
