// SPDX-License-Identifier: Apache-2.0
import Foundation
import Measurements

/// The archives of a list, in one folder, each with the digest that the list names. Nothing of an archive is looked at
/// before.
struct PackageArchives {
    let folder: String
    let list: PackageList

    /// Takes archives from a folder of saved ones, and those of `own` from where they are.
    init(
        _ list: PackageList, saved: String, own: [PackageList.Package: String], into folder: String
    ) throws(ImageError) {
        for package in list.all where own[package] == nil {
            let path = "\(saved)/\(package.fileName)"
            guard FileManager.default.fileExists(atPath: path) else {
                throw ImageError(
                    .package, "the archive of \(package.name) \(package.version) is missing: there is no \(path)",
                    hint: "'cupel image build --save-packages' keeps the archives of an image")
            }
            try ImageFolder.copy(path, to: "\(folder)/\(package.fileName)")
        }
        try self.init(list, own: own, checked: folder)
    }

    /// Fetches the archives with apt, but for those of `own`.
    init(
        _ list: PackageList, with apt: AptPackages, own: [PackageList.Package: String], into folder: String
    ) throws(ImageError) {
        try apt.fetch(list.all.filter { own[$0] == nil }.map { ($0.name, $0.version) }, into: folder)
        try self.init(list, own: own, checked: folder)
    }

    private init(
        _ list: PackageList, own: [PackageList.Package: String], checked folder: String
    ) throws(ImageError) {
        self.folder = folder
        self.list = list
        for (package, path) in own { try ImageFolder.copy(path, to: "\(folder)/\(package.fileName)") }
        for package in list.all {
            let found = try ImageFile.read(path(package)).sha256
            guard found == package.sha256 else {
                throw ImageError(
                    .package,
                    "the archive of \(package.name) \(package.version) has changed: its SHA-256 is \(found), and the "
                        + "list pins \(package.sha256)", hint: AptPackages.remedy)
            }
        }
    }

    func path(_ package: PackageList.Package) -> String { "\(folder)/\(package.fileName)" }

    /// Copies the archives to a folder, which is made if it is not there.
    func save(to folder: String) throws(ImageError) {
        try ImageFolder.make(folder)
        for package in list.all {
            let copy = "\(folder)/\(package.fileName)"
            ImageFolder.remove(copy)
            try ImageFolder.copy(path(package), to: copy)
        }
    }
}
