// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The Debian packages of which an image is made, each with the digest of its archive (`docs/formats.md`, "Guest
/// images").
///
/// Text, one package a line: name, version, architecture, SHA-256, one space between them. A line in square brackets
/// says for what the packages after it are. Empty lines and lines that begin with `#` are for people.
public struct PackageList: Hashable, Sendable {
    /// What a package is for.
    public enum Part: String, CaseIterable, Sendable {
        /// Installed in the guest's root.
        case root
        /// Programs that make the image; they are not in it.
        case tools
        /// The kernel and its modules.
        case kernel
        /// The EFI stub that becomes one program with the kernel.
        case stub
    }

    public struct Package: Hashable, Sendable {
        public let name: String
        public let version: String
        public let architecture: String
        /// Of the archive.
        public let sha256: Digest256

        public init(name: String, version: String, architecture: String, sha256: Digest256) {
            self.name = name
            self.version = version
            self.architecture = architecture
            self.sha256 = sha256
        }

        /// As apt calls the archive: "bubblewrap_0.8.0-2_amd64.deb".
        public var fileName: String {
            let plain = version.utf8.flatMap { $0 == UInt8(ascii: ":") ? Array("%3a".utf8) : [$0] }
            return "\(name)_\(String(decoding: plain, as: UTF8.self))_\(architecture).deb"
        }

        /// A line of the list.
        public var line: String { "\(name) \(version) \(architecture) \(sha256.hex)" }
    }

    public private(set) var packages: [Part: [Package]]

    /// By name, each.
    public init(_ packages: [Part: [Package]]) {
        self.packages = packages.mapValues { $0.sorted { $0.name < $1.name } }
    }

    public subscript(part: Part) -> [Package] { packages[part, default: []] }

    /// All of them, by what they are for.
    public var all: [Package] { Part.allCases.flatMap { self[$0] } }

    /// The same with another kernel.
    public func with(kernel: Package) -> PackageList {
        var list = self
        list.packages[.kernel] = [kernel]
        return list
    }

    /// Reads a list. Throws where a line is not one, a package stands twice, or a part is missing.
    public init(parsing text: String) throws(ImageError) {
        var packages: [Part: [Package]] = [:]
        var part: Part?
        for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        where !line.isEmpty && line.first != UInt8(ascii: "#") {
            let line = String(decoding: line, as: UTF8.self)
            if line.hasPrefix("[") {
                part = Part.allCases.first { "[\($0.rawValue)]" == line }
                guard part != nil else { throw Self.malformed(index, "'\(line)' is no part of an image") }
                continue
            }
            guard let part else { throw Self.malformed(index, "no part was named before this package") }
            guard let package = Package(line: line) else {
                throw Self.malformed(index, "name, version, architecture and SHA-256 of a package expected")
            }
            guard !packages.values.joined().contains(where: { $0.name == package.name }) else {
                throw Self.malformed(index, "\(package.name) stands in the list twice")
            }
            packages[part, default: []].append(package)
        }
        self.init(packages)
        for part in Part.allCases {
            let count = self[part].count
            guard part == .kernel || part == .stub ? count == 1 : count > 0 else {
                throw ImageError(.list, "the list of packages has \(count) in its part [\(part.rawValue)]")
            }
        }
    }

    /// The list as a file.
    public var text: String {
        Part.allCases.map { part in
            "[\(part.rawValue)]\n" + self[part].map { $0.line + "\n" }.joined()
        }.joined(separator: "\n")
    }

    private static func malformed(_ index: Int, _ reason: String) -> ImageError {
        ImageError(.list, "line \(index + 1) of the list of packages: \(reason)")
    }
}

extension PackageList.Package {
    /// A line of the list; `nil` where it is none. Names and versions go into commands and paths, so they are taken
    /// as Debian's policy (sections 5.6.1 and 5.6.12) has them, and nothing else is.
    package init?(line: String) {
        let words = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 4, Self.isName(words[0]), Self.isVersion(words[1]),
            words[2] == "amd64" || words[2] == "all", let sha256 = try? Digest256(hex: words[3])
        else { return nil }
        self.init(name: words[0], version: words[1], architecture: words[2], sha256: sha256)
    }

    /// Lower-case letters, digits and `+-.`, at least two, the first a letter or a digit.
    package static func isName(_ text: String) -> Bool {
        guard text.utf8.count >= 2, let first = text.utf8.first, isLetterOrDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func isVersion(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            isLetterOrDigit($0) || (0x41...0x5A).contains($0) || "+-.:~".utf8.contains($0)
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
