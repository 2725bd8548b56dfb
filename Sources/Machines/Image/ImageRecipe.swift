// SPDX-License-Identifier: Apache-2.0

/// Of what an image is made.
public struct ImageRecipe: Sendable {
    /// Of Cupel.
    public var version: String
    /// The program that builds within the machine: `cupel-guest`.
    public var guest: String
    /// The guest's `guest.toml`; `nil` for none.
    public var settings: [UInt8]?
    public var packages: PackageList
    /// A folder with the packages' archives. They are fetched with apt if not set.
    public var packageFolder: String?
    /// Where to keep the archives.
    public var savedPackages: String?
    /// A Debian package with another kernel than the list's.
    public var kernelPackage: String?
    /// More words for the kernel's command line.
    public var appendedWords: String
    /// A folder for the parts, some gigabytes.
    public var temporaryFolder: String

    public init(version: String, guest: String, packages: PackageList, temporaryFolder: String) {
        self.version = version
        self.guest = guest
        self.packages = packages
        self.temporaryFolder = temporaryFolder
        appendedWords = ""
    }
}
