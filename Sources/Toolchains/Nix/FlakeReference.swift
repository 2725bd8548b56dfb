// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Provenance
internal import StrictJSON

/// The `locked` of a node of a `flake.lock`: a flake reference with all that pins it (Nix manual, "nix flake", section
/// "Flake references").
struct FlakeReference {
    private enum Kind: String {
        case string = "a string of 1 to 4096 bytes without control characters"
        case integer = "a whole number, 0 or more"
        case boolean = "true or false"
    }

    /// What Nix, from 2.8 on, writes of each type that is known here.
    private static let known: [String: [String: Kind]] = {
        let common: [String: Kind] = [
            "type": .string, "narHash": .string, "lastModified": .integer, "rev": .string, "revCount": .integer,
            "dir": .string,
        ]
        let forge = common.merging(
            ["owner": .string, "repo": .string, "ref": .string, "host": .string, "treeHash": .string]) { first, _ in
                first
            }
        let git = common.merging([
            "url": .string, "ref": .string, "shallow": .boolean, "submodules": .boolean, "lfs": .boolean,
            "allRefs": .boolean,
            "exportIgnore": .boolean, "name": .string, "dirtyRev": .string, "dirtyShortRev": .string,
            "verifyCommit": .boolean,
            "keytype": .string, "publicKey": .string, "publicKeys": .string,
        ]) { first, _ in first }
        let download = common.merging(["url": .string, "name": .string, "unpack": .boolean]) { first, _ in first }
        return [
            "github": forge, "gitlab": forge, "sourcehut": forge, "git": git, "tarball": download, "file": download,
            "path": common.merging(["path": .string]) { first, _ in first },
        ]
    }()

    private let members: FlakeMembers
    private let title: String

    /// - Parameter title: names the input in errors.
    init(_ json: JSONValue, _ title: String) throws(BuildFailure) {
        guard let type = json["type"]?.stringValue else { throw FlakeLock.malformed("\(title) has no type") }
        guard let known = Self.known[type] else { throw Self.unknownType(type, title) }
        members = try FlakeMembers(json, of: title, known: Set(known.keys))
        self.title = title
        for (name, kind) in known.sorted(by: { $0.key < $1.key }) {
            guard let value = members[name] else { continue }
            let fits =
                switch kind {
                case .string: value.stringValue.map(Self.isPlain) ?? false
                case .integer: value.integerValue.map { $0 >= 0 } ?? false
                case .boolean: value.boolValue != nil
                }
            guard fits else { throw FlakeLock.malformed("\(title) has a '\(name)' that is not \(kind.rawValue)") }
        }
    }

    private static func unknownType(_ type: String, _ title: String) -> BuildFailure {
        guard type == "indirect" else {
            return BuildFailure(
                .lockfile,
                "\(title) of flake.lock has the type '\(shown(type))', which is not fetched here; expected github, "
                    + "gitlab, sourcehut, git, tarball, file or path")
        }
        return BuildFailure(
            .unpinnedDependency,
            "\(title) of flake.lock is the name of a registry, which may mean another thing each day; lock it with "
                + "nix flake lock")
    }

    func origin() throws(BuildFailure) -> FlakeInput.Origin {
        switch try members.string("type") {
        case "git": return try git()
        case "tarball", "file": return .download(url: try download())
        case "path": return try folder()
        case let type: return try forge(type)
        }
    }

    /// `nil` where there is none.
    func narHash() throws(BuildFailure) -> Digest256? {
        guard let text = try members.optionalString("narHash") else { return nil }
        let hash = text.hasPrefix("sha256-") ? try? NixHash(text) : nil
        guard let hash, let digest = try? Digest256(rawBytes: hash.bytes) else {
            throw FlakeLock.malformed(
                "the narHash of \(title) is '\(shown(text))'; expected sha256- and the base 64 of 32 bytes")
        }
        return digest
    }

    private func forge(_ type: String) throws(BuildFailure) -> FlakeInput.Origin {
        let standard = ["github": "github.com", "gitlab": "gitlab.com", "sourcehut": "git.sr.ht"][type] ?? ""
        let host = try members.optionalString("host")?.lowercased() ?? standard
        guard host.utf8.allSatisfy(Self.isHostByte) else {
            throw FlakeLock.malformed("\(title) has the host '\(shown(host))', which is none")
        }
        let owner = try pathParts("owner").joined(separator: "/")
        let repository = try pathParts("repo").joined(separator: "/")
        let url = "https://\(host)/\(owner)/\(repository)"
        try checkAddress(url)
        let isGitHub = type == "github" && host == standard
        let name = FlakeInput.GitHubName(owner: owner.lowercased(), name: repository.lowercased())
        return .repository(url: url, commit: try commit(), gitHub: isGitHub ? name : nil)
    }

    /// GitLab's owners may be groups within groups, with a slash that is written `%2F`.
    private func pathParts(_ key: String) throws(BuildFailure) -> [String] {
        let text = try members.string(key).split(separator: "%2F", omittingEmptySubsequences: false)
            .joined(separator: "/")
        let parts = PathParts.all(text)
        let isGitLab = try members.string("type") == "gitlab"
        let areNames = parts.allSatisfy { part in
            (1...256).contains(part.utf8.count) && part != "." && part != ".."
                && part.utf8.allSatisfy(PercentEncoding.isPlain)
        }
        guard areNames, parts.count == 1 || isGitLab && key == "owner" else {
            throw FlakeLock.malformed("\(title) has the \(key) '\(shown(text))', which is no name")
        }
        return parts
    }

    /// Nix allows no port here.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        PercentEncoding.isPlain(byte) && byte != UInt8(ascii: "_") && byte != UInt8(ascii: "~")
    }

    private func git() throws(BuildFailure) -> FlakeInput.Origin {
        let text = try members.string("url")
        let url = text.hasPrefix("git+") ? String(text.dropFirst(4)) : text
        try refuseLocalPlaces(url)
        try checkAddress(url)
        guard FlakeInput.withoutQuery(url) == url else {
            throw FlakeLock.malformed("\(title) has a repository's address with a query, '\(shown(url))'")
        }
        return .repository(url: url, commit: try commit(), gitHub: nil)
    }

    private func download() throws(BuildFailure) -> String {
        let text = try members.string("url")
        let prefix = ["tarball+", "file+"].first { text.hasPrefix($0) } ?? ""
        let url = String(text.dropFirst(prefix.count))
        try refuseLocalPlaces(url)
        try checkAddress(url)
        if members["rev"] != nil { _ = try commit() }
        return url
    }

    private func folder() throws(BuildFailure) -> FlakeInput.Origin {
        let path = try members.string("path")
        guard !PathParts.isAbsolute(path) else { throw local(path) }
        return .folder(path: path)
    }

    private func commit() throws(BuildFailure) -> String {
        guard let commit = try members.optionalString("rev") else {
            let isClean = members["dirtyRev"] == nil && members["dirtyShortRev"] == nil
            let reason = isClean ? "names no commit" : "was locked while its repository had uncommitted changes"
            throw BuildFailure(
                .unpinnedDependency, "\(title) of flake.lock \(reason); lock it to a commit with nix flake lock")
        }
        guard [40, 64].contains(commit.utf8.count), let bytes = try? Hex.decode(commit), Hex.encode(bytes) == commit
        else {
            throw FlakeLock.malformed(
                "the rev of \(title) is '\(shown(commit))'; expected 40 or 64 lower-case hexadecimal digits")
        }
        return commit
    }

    private func refuseLocalPlaces(_ url: String) throws(BuildFailure) {
        if PathParts.isAbsolute(url) || url.hasPrefix("file:") || url.hasPrefix(".") { throw local(url) }
    }

    private func local(_ place: String) -> BuildFailure {
        BuildFailure(
            .unpinnedDependency,
            "\(title) of flake.lock is '\(shown(place))', which stands only on the machine where it was locked; use "
                + "a repository, an archive or a path within the source")
    }

    private func checkAddress(_ url: String) throws(BuildFailure) {
        let isPrintable = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isPrintable, RemoteAddress(FlakeInput.withoutQuery(url)) != nil else {
            throw BuildFailure(
                .lockfile,
                "\(title) of flake.lock is at '\(shown(url))'; expected an address that starts with https:// or "
                    + "http:// and has no user name, white space or non-ASCII")
        }
    }

    private static func isPlain(_ text: String) -> Bool {
        (1...4096).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}

extension FlakeInput {
    /// Throws where `locked` does not pin the input (see ``FlakeLock/init(parsing:)``).
    init(locked: JSONValue, names: [String], isFlake: Bool) throws(BuildFailure) {
        let title = "the input '\(shown(names.first ?? ""))'"
        let reference = try FlakeReference(locked, title)
        origin = try reference.origin()
        narHash = try reference.narHash()
        self.names = names
        self.isFlake = isFlake
        if case .folder = origin { return }
        guard narHash != nil else {
            throw BuildFailure(
                .unpinnedDependency, "\(title) of flake.lock has no narHash; lock it with nix flake lock")
        }
    }
}
