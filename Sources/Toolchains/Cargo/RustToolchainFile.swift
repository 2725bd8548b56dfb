// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import StrictJSON
internal import StrictTOML

/// Which Rust toolchain a project asks for: `rust-toolchain.toml`, or `rust-toolchain` with TOML or one line (The rustup
/// book, "Overrides").
struct RustToolchainFile: Hashable, Sendable {
    /// A channel (`stable`, `nightly-2025-01-01`) or a version (`1.85.0`), with or without the host; `nil` for the
    /// default.
    let channel: String?
    /// Targets that must be installed.
    let targets: [String]

    static let none = RustToolchainFile(channel: nil, targets: [])

    /// Throws `UnsupportedToolchainError` where the file cannot be read, or names a toolchain by path.
    static func read(in root: String) throws(BuildFailure) -> RustToolchainFile {
        for file in ["rust-toolchain", "rust-toolchain.toml"] {
            guard ProjectFiles.exists(root + "/" + file) else { continue }
            guard let path = ProjectFiles.confined(file, from: root, root: root) else {
                throw BuildFailure(.inputVerification, "\(file) is a link that leads out of the source tree")
            }
            do {
                let bytes = try ProjectFiles.read(path, limit: 1 << 16) ?? []
                return try RustToolchainFile(bytes, name: file)
            } catch {
                throw (error as? BuildFailure)
                    ?? unreadable(file, (error as? UnreadableFile)?.reason ?? "\(error)")
            }
        }
        return .none
    }

    init(_ bytes: [UInt8], name: String) throws(BuildFailure) {
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        if name == "rust-toolchain", words.count == 1, !words[0].hasPrefix("[") {
            self.init(channel: try Self.checked(String(words[0]), name: name), targets: [])
            return
        }
        let table: JSONValue
        do {
            table = try TOMLDocument.parse(bytes, name: name)["toolchain"] ?? .object([:])
        } catch {
            throw Self.unreadable(name, "\(error)")
        }
        guard table["path"] == nil else {
            throw BuildFailure(
                .unsupportedToolchain,
                "\(name) names a toolchain by its path, which only the operator may choose; name a channel instead")
        }
        let channel = table["channel"]
        guard channel == nil || channel?.stringValue != nil else {
            throw Self.unreadable(name, "the channel is no text")
        }
        var targets: [String] = []
        for target in table["targets"]?.arrayValue ?? [] {
            targets.append(try Self.checked(target.stringValue ?? "", name: name))
        }
        var checked: String?
        if let text = channel?.stringValue { checked = try Self.checked(text, name: name) }
        self.init(channel: checked, targets: targets)
    }

    private init(channel: String?, targets: [String]) {
        self.channel = channel
        self.targets = targets
    }

    /// What may safely be the name of a folder.
    private static func checked(_ text: String, name: String) throws(BuildFailure) -> String {
        let isName =
            (1...100).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        guard isName else {
            throw BuildFailure(.unsupportedToolchain, "\(name): '\(shown(text))' is no channel, version or target")
        }
        return text
    }

    private static func unreadable(_ name: String, _ reason: String) -> BuildFailure {
        BuildFailure(.unsupportedToolchain, "\(name) cannot be read: \(reason)")
    }
}
