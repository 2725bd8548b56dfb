// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Measurements

/// The guest's root as a folder, made of the list's packages and nothing else.
package struct RootTree {
    let programs: ImagePrograms
    let archives: PackageArchives
    /// Where it becomes.
    let path: String

    /// What no build reads, and what asks for passwords. The licences of what is in the image stay in it.
    private static let excluded = [
        "/usr/share/man/*", "/usr/share/info/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/lintian/*",
        "/usr/share/bug/*", "/usr/share/bash-completion/*", "/usr/bin/*lto-dump*",
        "/sbin/agetty", "/sbin/getty", "/sbin/sulogin", "/bin/login",
    ]

    /// Installs the packages. mmdebstrap sees only a folder that has them, and works in namespaces of its own: when it
    /// ends, or this program does, however that is, so do its processes and its mounts.
    func install(repository: String) throws(ImageError) {
        try describe(repository)
        let options =
            ["--mode=root", "--variant=essential", "--format=directory"]
            + ["--include=" + archives.list[.root].map(\.name).joined(separator: ",")]
            + ["APT::Install-Recommends \"false\"", "Acquire::Languages \"none\""].map { "--aptopt=\($0)" }
            + Self.excluded.map { "--dpkgopt=path-exclude=\($0)" }
            + ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
        try programs.run(
            [
                try ImagePrograms.find("setpriv", package: "util-linux"), "--pdeathsig", "KILL",
                try ImagePrograms.find("unshare", package: "util-linux"), "--mount", "--propagation=private", "--pid",
                "--fork", "--kill-child", try ImagePrograms.find("mmdebstrap", package: "mmdebstrap"),
            ] + options + ["", path, "deb [trusted=yes] copy:\(Self.escaped(repository)) ./"], named: "mmdebstrap")
    }

    /// A path as apt's list of sources takes it: what is not plain as "%" and two digits.
    package static func escaped(_ path: String) -> String {
        path.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            return isPlain || "/-_.".utf8.contains(byte) ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte])
        }.joined()
    }

    /// A flat repository: the archives, and what `dpkg-deb` says of them as its index.
    private func describe(_ repository: String) throws(ImageError) {
        try ImageFolder.make(repository)
        let query = try ImagePrograms.find("dpkg-deb", package: "dpkg")
        var index: [UInt8] = []
        for package in archives.list[.root] {
            let fields = try programs.run([query, "--field", archives.path(package)])
            let copy = "\(repository)/\(package.fileName)"
            guard link(archives.path(package), copy) == 0 else {
                throw ImageFile.failure("could not make \(copy)", errno)
            }
            let size = try ImageFile.read(copy).size
            index += fields
            index += Array(
                "Filename: ./\(package.fileName)\nSize: \(size)\nSHA256: \(package.sha256.hex)\n\n".utf8)
        }
        try ImageFile.write(index, to: "\(repository)/Packages")
    }

    /// Throws where what was installed is not the list.
    func check(with tools: ImageTools) throws(ImageError) {
        let output = try tools.run(
            "dpkg-query",
            [
                "--admindir=\(path)/var/lib/dpkg", "--show",
                "--showformat=${db:Status-Status} ${Package} ${Version} ${Architecture}\\n",
            ])
        let found = Set(String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init))
        let expected = Set(
            archives.list[.root].map { "installed \($0.name) \($0.version) \($0.architecture)" })
        if let odd = found.symmetricDifference(expected).min() {
            throw ImageError(
                .content, "the list and what was installed differ in '\(odd)'",
                hint: "make a new list: 'cupel image lock'")
        }
    }

    /// Removes what this machine left in the root, and what says when and where it was made.
    func clean() throws(ImageError) {
        for folder in ["dev", "run", "tmp", "boot", "var/log", "var/cache", "var/lib/apt", "var/tmp", "etc/apt"] {
            try ImageFolder.empty("\(path)/\(folder)")
        }
        for file in [
            "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock", "etc/subuid-", "etc/subgid-",
        ] {
            ImageFolder.remove("\(path)/\(file)")
        }
        for state in ["status-old", "available-old", "diversions-old", "statoverride-old", "lock", "lock-frontend"] {
            ImageFolder.remove("\(path)/var/lib/dpkg/\(state)")
        }
        let texts = [
            "etc/hostname": "cupel-guest\n", "etc/machine-id": "",
            "etc/hosts": "127.0.0.1 localhost cupel-guest\n::1 localhost\n",
        ]
        for (file, text) in texts {
            ImageFolder.remove("\(path)/\(file)")
            try ImageFile.write(Array(text.utf8), to: "\(path)/\(file)")
        }
        ImageFolder.remove("\(path)/etc/resolv.conf")
        guard symlink("/run/resolv.conf", "\(path)/etc/resolv.conf") == 0 else {
            throw ImageFile.failure("could not make etc/resolv.conf", errno)
        }
        try checkPasswords()
    }

    /// Nobody can log in: every account is locked (shadow(5): a field that no password can give).
    private func checkPasswords() throws(ImageError) {
        let text = String(decoding: try ImageFile.bytes("\(path)/etc/shadow"), as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 1, fields[1].hasPrefix("*") || fields[1].hasPrefix("!") else {
                throw ImageError(.content, "the account '\(fields[0])' of the root is not locked")
            }
        }
    }
}
