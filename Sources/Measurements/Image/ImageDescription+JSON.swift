// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

/// `image.json`.
///
/// | member | type | meaning |
/// |---|---|---|
/// | `version` | 1 | of this format |
/// | `name`, `imageVersion` | string | what it is, for people, and of which release |
/// | `kernelRelease` | string | what `uname -r` says in the guest |
/// | `commandLine` | string | the kernel's; `cupel.roothash=` and `cupel.hashoffset=` stand in it once each |
/// | `rootHash` | string | 64 hexadecimal digits |
/// | `hashOffset` | number | bytes |
/// | `files` | object | by name: `size` in bytes, `sha256` |
extension ImageDescription {
    /// Bytes; a longer `image.json` is refused.
    public static let maximumSize = 64 << 10
    /// Bytes of the longest command line that Linux takes on x86-64 (COMMAND_LINE_SIZE), without the zero at its end.
    public static let maximumCommandLine = 2047

    /// Reads `image.json`. Throws at another version, at members that are missing or unknown, and where the command
    /// line names another root than the members do.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count <= Self.maximumSize else {
            throw Self.malformed("", "\(bytes.count) bytes, at most \(Self.maximumSize) are read")
        }
        let json = try JSONValue(parsing: bytes)
        guard let version = json["version"] else { throw Self.malformed("version", "missing") }
        guard version == 1 else {
            throw Self.malformed("version", "only 1 is known; a newer cupel may read this image")
        }
        let members = try Self.members(
            json, "",
            [
                "version", "name", "imageVersion", "kernelRelease", "commandLine", "rootHash", "hashOffset", "files",
            ])
        var files: [String: File] = [:]
        guard let described = members["files"]?.objectValue else { throw Self.malformed("files", "an object expected") }
        for (name, value) in described { files[name] = try Self.file(value, name) }
        self.init(
            name: try Self.text(members, "name"), version: try Self.text(members, "imageVersion"),
            kernelRelease: try Self.text(members, "kernelRelease"), commandLine: try Self.text(members, "commandLine"),
            rootHash: try Self.digest(members["rootHash"], "rootHash"),
            hashOffset: try Self.size(members["hashOffset"], "hashOffset"), files: files)
        try check()
    }

    /// `image.json`: canonical JSON (RFC 8785).
    public var canonicalBytes: [UInt8] {
        let json: JSONValue = [
            "version": 1, "name": .string(name), "imageVersion": .string(version),
            "kernelRelease": .string(kernelRelease), "commandLine": .string(commandLine),
            "rootHash": .string(rootHash.hex), "hashOffset": .integer(hashOffset),
            "files": .object(
                files.mapValues { ["size": .integer($0.size), "sha256": .string($0.sha256.hex)] }),
        ]
        return json.canonicalBytes
    }

    /// What each member cannot say alone.
    private func check() throws(MalformedBytes) {
        if let missing = Name.all.first(where: { files[$0] == nil }) {
            throw Self.malformed("files", "'\(missing)' is missing")
        }
        guard files.keys.allSatisfy({ PathParts.isPlain($0) && PathParts.names($0).count == 1 }) else {
            throw Self.malformed("files", "a name that is not one of a file in the image's own folder")
        }
        let size = files[Name.root]?.size ?? 0
        guard (1..<size).contains(hashOffset) else {
            throw Self.malformed("hashOffset", "\(hashOffset), expected less than the \(size) bytes of '\(Name.root)'")
        }
        guard commandLine.utf8.count <= Self.maximumCommandLine else {
            throw Self.malformed(
                "commandLine", "\(commandLine.utf8.count) bytes, at most \(Self.maximumCommandLine) are possible")
        }
        try expect("cupel.roothash", rootHash.hex)
        try expect("cupel.hashoffset", String(hashOffset))
    }

    /// One word of the command line gives `key`, and this value.
    private func expect(_ key: String, _ value: String) throws(MalformedBytes) {
        let words = commandLine.utf8.split(separator: UInt8(ascii: " ")).filter { $0.starts(with: "\(key)=".utf8) }
        guard words.count == 1, words[0].elementsEqual("\(key)=\(value)".utf8) else {
            throw Self.malformed("commandLine", "expected '\(key)=\(value)' in it, once")
        }
    }

    private static func file(_ json: JSONValue, _ name: String) throws(MalformedBytes) -> File {
        let members = try members(json, "files", ["size", "sha256"])
        return File(size: try size(members["size"], name), sha256: try digest(members["sha256"], name))
    }

    private static func members(
        _ json: JSONValue, _ field: String, _ names: Set<String>
    ) throws(MalformedBytes) -> [String: JSONValue] {
        guard let members = json.objectValue else { throw malformed(field, "an object expected") }
        if let missing = names.subtracting(members.keys).min() { throw malformed(missing, "missing") }
        if let unknown = Set(members.keys).subtracting(names).min() { throw malformed(unknown, "an unknown member") }
        return members
    }

    /// Printable ASCII: the kernel's command line takes nothing else, and names are shown on terminals.
    private static func text(_ members: [String: JSONValue], _ name: String) throws(MalformedBytes) -> String {
        guard let text = members[name]?.stringValue, !text.isEmpty, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw malformed(name, "text of printable ASCII expected")
        }
        return text
    }

    private static func size(_ json: JSONValue?, _ name: String) throws(MalformedBytes) -> Int {
        guard let size = json?.integerValue, size > 0 else { throw malformed(name, "a number of bytes expected") }
        return size
    }

    private static func digest(_ json: JSONValue?, _ name: String) throws(MalformedBytes) -> Digest256 {
        guard let text = json?.stringValue else { throw malformed(name, "a SHA-256 digest expected") }
        do {
            return try Digest256(hex: text)
        } catch {
            throw malformed(name, "a SHA-256 digest expected, 64 lower-case hexadecimal digits")
        }
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "image.json", field: field, offset: 0, reason: reason)
    }
}
