// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation

/// Programs of the list's own packages, run with the libraries of these packages: so it is not the release of this
/// machine's programs that decides what an image is. Nothing is mounted, and no root is changed: the root's own dynamic
/// loader is told where the libraries are (ld.so(8)).
struct ImageTools {
    let programs: ImagePrograms
    /// The guest's root.
    let root: String
    /// Where the packages of the list's part `tools` are unpacked.
    let tools: String

    private static let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"]

    /// Runs a program of the packages, as `name` where one program is several.
    @discardableResult
    func run(_ name: String, _ arguments: [String], program: String? = nil) throws(ImageError) -> [UInt8] {
        let loader = "\(root)/\(Self.libraries[0])/ld-linux-x86-64.so.2"
        let path = Self.libraries.map { "\(tools)/\($0)" } + Self.libraries.map { "\(root)/\($0)" }
        return try programs.run(
            [
                loader, "--inhibit-cache", "--library-path", path.joined(separator: ":"), "--argv0", name,
                try find(program ?? name),
            ] + arguments, named: name)
    }

    private func find(_ name: String) throws(ImageError) -> String {
        let folders = ["usr/sbin", "usr/bin", "sbin", "bin"]
        let paths = [tools, root].flatMap { top in folders.map { "\(top)/\($0)/\(name)" } }
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw ImageError(.list, "no package of the list has the program '\(name)', which makes a part of the image")
        }
        return path
    }
}
