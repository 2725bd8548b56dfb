// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Measurements

/// A kernel of the user's choice: a Debian package as a file.
enum KernelPackage {
    /// What it says it is, with the digest that it has.
    static func read(_ path: String, with programs: ImagePrograms) throws(ImageError) -> PackageList.Package {
        let query = try ImagePrograms.find("dpkg-deb", package: "dpkg")
        let format = "${Package} ${Version} ${Architecture}"
        let output = try programs.run([query, "--show", "--showformat=\(format)", path])
        let line = "\(String(decoding: output, as: UTF8.self)) \(try ImageFile.read(path).sha256.hex)"
        guard let package = PackageList.Package(line: line) else {
            throw ImageError(.content, "\(path) is no Debian package of x86-64 whose name and version can be read")
        }
        return package
    }
}
