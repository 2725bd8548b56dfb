// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What is ours in the root: the guest's program, the first process, and the settings.
package struct GuestContents {
    let programs: ImagePrograms
    let tools: ImageTools

    private var root: String { tools.root }

    func add(guest: String, settings: [UInt8]?) throws(ImageError) {
        try ImageFolder.make("\(root)/usr/lib/cupel")
        try ImageFolder.make("\(root)/etc/cupel")
        try strip(guest)
        try ImageFile.write(
            Array(GuestInit.script.utf8), to: "\(root)/\(ImageFormat.Path.initProgram)", mode: 0o755)
        if let settings { try ImageFile.write(settings, to: "\(root)/\(ImageFormat.Path.settings)") }
        try checkLibraries(of: guest)
    }

    /// Puts the program in the root without what only debuggers read: most of it, and it says in which folder it was built.
    /// Nor with what differs each time that it is compiled, and nothing reads: the compiler's hashes of its modules, and
    /// the identifier of the build, which is a hash over these as well.
    private func strip(_ guest: String) throws(ImageError) {
        let path = "\(root)/\(ImageFormat.Path.guest)"
        let unread = [".swift_modhash", ".note.gnu.build-id"].map { "--remove-section=\($0)" }
        try tools.run("strip", ["--strip-all"] + unread + ["-o", path, guest])
        guard chmod(path, 0o755) == 0 else { throw ImageFile.failure("could not write \(path)", errno) }
    }

    /// Throws where the root lacks a library of the program, or has it too old. The root's own dynamic loader says so.
    private func checkLibraries(of guest: String) throws(ImageError) {
        let answer = try programs.answer([
            try ImagePrograms.find("chroot", package: "coreutils"), root, "/lib64/ld-linux-x86-64.so.2", "--list",
            "/" + ImageFormat.Path.guest,
        ])
        let missing = Self.missing(answer.text)
        guard missing.isEmpty else {
            throw ImageError(
                .content, "\(guest) needs what the image does not have: \(missing.joined(separator: ", "))",
                hint: "build it for the Debian release that the packages of the image are of")
        }
        guard answer.status == 0 else {
            throw ImageError(
                .content, "\(guest) would not run in the image\(ImagePrograms.complaint(answer.errors))",
                hint: "build it for x86-64, and for the Debian release that the packages of the image are of")
        }
    }

    /// The libraries in lines "libfoo.so.1 => not found".
    package static func missing(_ output: String) -> [String] {
        output.split(whereSeparator: \.isNewline).filter { $0.hasSuffix("=> not found") }
            .compactMap { $0.split(whereSeparator: \.isWhitespace).first.map(String.init) }
    }

    /// The files in lines "libfoo.so.1 => /lib/libfoo.so.1 (0x7f…)" and "/lib64/ld-linux-x86-64.so.2 (0x7f…)".
    package static func libraries(_ output: String) -> [String] {
        output.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2 else { return nil }
            let path = words.count >= 3 && words[1] == "=>" ? words[2] : words[0]
            return path.utf8.first == UInt8(ascii: "/") ? String(path) : nil
        }
    }
}
