// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Measurements
import Processes

/// Makes a list of what Debian has today.
public enum PackageLock {
    /// - Parameters:
    ///   - names: packages for the guest's root, besides those that each image has.
    ///   - kernel: a kernel's package, or one that depends on the newest of its series.
    public static func resolve(
        adding names: [String], kernel: String, temporaryFolder: String,
        report: @escaping @Sendable (String) -> Void
    ) async throws(ImageError) -> PackageList {
        if let odd = (names + [kernel]).first(where: { !PackageList.Package.isName($0) }) {
            throw ImageError(.list, "'\(odd)' is no name of a Debian package")
        }
        return try await ImageThread.run { (cancellation) throws(ImageError) in
            let work = try ImageFolder.makeOwn(in: temporaryFolder)
            defer { ImageFolder.remove(work) }
            let programs = ImagePrograms(folder: work, cancellation: cancellation)
            report("asking apt which packages there are")
            let apt = try AptPackages(programs, folder: "\(work)/apt")
            let parts = try resolve(GuestPackages.root + names, kernel, with: apt)
            report("fetching \(parts.values.reduce(0) { $0 + $1.count }) packages with apt")
            let folder = "\(work)/archives"
            try ImageFolder.make(folder)
            try apt.fetch(parts.values.joined().map { ($0.name, $0.version) }, into: folder)
            var packages: [PackageList.Part: [PackageList.Package]] = [:]
            for (part, candidates) in parts {
                for candidate in candidates { packages[part, default: []].append(try candidate.pinned(in: folder)) }
            }
            return try PackageList(parsing: PackageList(packages).text)
        }
    }

    private static func resolve(
        _ names: [String], _ kernel: String, with apt: AptPackages
    ) throws(ImageError) -> [PackageList.Part: [AptPackages.Candidate]] {
        let root = try apt.resolve(names)
        let kernels = try apt.resolve([kernel]).filter { $0.name.hasPrefix("linux-image-") }
        // A package that only depends on the newest kernel comes with that one.
        guard let kernel = kernels.first(where: { $0.name != kernel || kernels.count == 1 }) else {
            throw ImageError(.list, "'\(kernel)' brings no package 'linux-image-…'", hint: "name one with --kernel")
        }
        return [
            .root: root,
            .tools: try apt.resolve(names + GuestPackages.tools).filter { !root.contains($0) },
            .kernel: [kernel],
            .stub: try apt.resolve([GuestPackages.stub]).filter { $0.name == GuestPackages.stub },
        ]
    }
}

extension AptPackages.Candidate {
    /// With the digest of the archive that was fetched. apt has checked that one against Debian's signature.
    fileprivate func pinned(in folder: String) throws(ImageError) -> PackageList.Package {
        let name = PackageList.Package(name: name, version: version, architecture: architecture, sha256: .init(of: []))
        return PackageList.Package(
            name: self.name, version: version, architecture: architecture,
            sha256: try ImageFile.read("\(folder)/\(name.fileName)").sha256)
    }
}
