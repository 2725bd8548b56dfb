// SPDX-License-Identifier: Apache-2.0

/// Which packages a guest image is of.
public enum GuestPackages {
    /// What builds need, what the guest's program loads, and what its first process runs. All that they depend on
    /// comes with them, and what Debian calls essential.
    public static let root = [
        "bubblewrap", "busybox-static", "ca-certificates", "cargo-web", "cryptsetup-bin", "dmsetup", "e2fsprogs", "gcc",
        "git", "iproute2", "libarchive13", "libc6-dev", "libseccomp2", "libsqlite3-0", "libtss2-esys-3.0.2-0",
        "libtss2-mu0", "libtss2-rc0", "libtss2-tcti-device0", "libtss2-tctildr0", "mount", "nix-bin", "rustc-web",
        "util-linux", "zlib1g",
    ]
    /// Not in the image. What these depend on is taken from the root.
    public static let tools = ["erofs-utils", "kmod", "zstd"]
    /// The newest of its series; it has the guest drivers of SEV-SNP and TDX.
    public static let kernel = "linux-image-6.12-cloud-amd64"
    public static let stub = "systemd-boot-efi"

    /// The packages that this release pins.
    public static func pinned() throws(ImageError) -> PackageList {
        try PackageList(parsing: String(decoding: PackageResources.guest_packages_txt, as: UTF8.self))
    }
}
