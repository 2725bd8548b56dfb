// SPDX-License-Identifier: Apache-2.0
package import ByteCoding

/// What is the same in each image, so that the same parts make the same image.
package enum ImageFormat {
    static let name = "cupel-guest"
    /// The time of all files, in seconds since 1970: 2026-01-01. The clock decides nothing.
    static let time: UInt32 = 1_767_225_600
    static let rootUUID = "c0be1000-0000-4000-8000-000000000001"
    static let verityUUID = "c0be1000-0000-4000-8000-000000000002"
    /// Of dm-verity: a salt is against tables of hashes made before, which nobody has of a root that nobody knew.
    static let veritySalt = String(repeating: "0", count: 64)
    /// Bytes of a block of erofs and dm-verity.
    static let block = 4096
    /// Bytes of the smallest files whose digests the root lists: the guest reads smaller ones as fast as the list.
    static let listedSize = 16 << 10

    /// Places in the guest.
    enum Path {
        static let guest = "usr/lib/cupel/cupel-guest"
        static let initProgram = "usr/lib/cupel/init"
        static let settings = "etc/cupel/guest.toml"
        static let digests = "usr/lib/cupel/sha256sums"
    }

    /// The kernel's command line.
    ///
    /// `no_timer_check`: where the processor is emulated and the host is busy, the kernel would take a late tick of the
    /// timer for a broken one, and stop.
    package static func commandLine(rootHash: Digest256, hashOffset: Int, appended words: String) -> String {
        let fixed = "console=ttyS0 panic=-1 quiet loglevel=4 no_timer_check"
        let root = "cupel.roothash=\(rootHash.hex) cupel.hashoffset=\(hashOffset)"
        return ([fixed, root] + (words.isEmpty ? [] : [words])).joined(separator: " ")
    }

    /// The `.osrel` section (UAPI Group, "Unified Kernel Image").
    static func release(version: String) -> String {
        "ID=\(name)\nNAME=\"Cupel guest\"\nVERSION_ID=\(version)\n"
    }
}
