// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What a guest image consists of: `image.json` of its folder (`docs/formats.md`, "Guest images").
///
/// It is for people and programs that find their way in the folder. Nothing that is measured depends on it: what a
/// platform will report is computed from the files themselves.
public struct ImageDescription: Hashable, Sendable {
    /// A file of the image's folder.
    public struct File: Hashable, Sendable {
        public let size: Int
        public let sha256: Digest256

        public init(size: Int, sha256: Digest256) {
            self.size = size
            self.sha256 = sha256
        }
    }

    /// The files that every image has.
    public enum Name {
        /// The kernel as its package has it.
        public static let kernel = "vmlinuz"
        public static let initrd = "initrd"
        /// Kernel, initrd and command line as one EFI program (UAPI Group, "Unified Kernel Image").
        public static let unifiedKernel = "uki.efi"
        /// The read-only root: erofs, and after it the hash tree of dm-verity.
        public static let root = "root.img"
        /// The Debian packages within: name, version, architecture, SHA-256 of the archive; one a line.
        public static let packages = "packages.txt"

        public static let all = [kernel, initrd, unifiedKernel, root, packages]
    }

    /// "cupel-guest".
    public let name: String
    /// Of the release: "1.2.0".
    public let version: String
    /// "6.1.0-30-cloud-amd64".
    public let kernelRelease: String
    /// The kernel's, without anything after it. It names ``rootHash``.
    public let commandLine: String
    /// Of dm-verity.
    public let rootHash: Digest256
    /// Bytes of ``Name/root`` before the hash tree.
    public let hashOffset: Int
    /// By name.
    public let files: [String: File]

    public init(
        name: String, version: String, kernelRelease: String, commandLine: String, rootHash: Digest256,
        hashOffset: Int, files: [String: File]
    ) {
        self.name = name
        self.version = version
        self.kernelRelease = kernelRelease
        self.commandLine = commandLine
        self.rootHash = rootHash
        self.hashOffset = hashOffset
        self.files = files
    }
}
