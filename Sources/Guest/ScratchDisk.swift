// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The only place of the machine that can be written: a disk that the host lends, encrypted with a key that is made here
/// and is nowhere but in the kernel's memory. The host sees how much is written and when, and nothing of what.
///
/// It protects what is secret, not what is right: the host can still change or put back what it holds, as no disk
/// encryption without integrity tells (cryptsetup FAQ, 5.21).
public struct ScratchDisk: Sendable {
    /// The serial number by which the host marks the disk.
    public static let serial = "cupel-scratch"
    static let mapping = "scratch"
    private static let keySize = 64

    let device: String

    public init(device: String) { self.device = device }

    /// Encrypts the disk, makes an empty file system, and mounts it at `folder`.
    public func mount(at folder: String) throws(GuestError) {
        try SystemProgram.cryptsetup.run(encryption, input: Self.key())
        let mapped = "/dev/mapper/\(Self.mapping)"
        try SystemProgram.makeFileSystem.run(Self.fileSystem + [mapped])
        // Nothing here outlives the machine, so nothing need be ordered or kept for a crash.
        let options = "barrier=0,noinit_itable"
        let flags = UInt(MS_NOSUID) | UInt(MS_NODEV) | UInt(MS_NOATIME)
        guard Glibc.mount(mapped, folder, "ext4", flags, options) == 0 else {
            throw GuestError("\(mapped) could not be mounted at \(folder): \(String(cString: strerror(errno)))")
        }
    }

    /// Two keys of 256 bits, for AES in XTS mode.
    private static func key() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<keySize).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    package var encryption: [String] {
        [
            "open", "--batch-mode", "--type", "plain", "--cipher", "aes-xts-plain64", "--key-size", "512",
            "--key-file", SystemProgram.firstPipe, "--keyfile-size", "\(Self.keySize)", "--sector-size", "4096",
            device, Self.mapping,
        ]
    }

    /// Without a journal, which is for crashes, and without touching the disk more than an empty one needs.
    package static let fileSystem = [
        "-q", "-F", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard",
    ]
}
