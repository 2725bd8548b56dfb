// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import Provenance
internal import StrictJSON

/// An input of a flake, or of one of its inputs, as `flake.lock` pins it.
public struct FlakeInput: Hashable, Sendable {
    /// Where an input comes from.
    public enum Origin: Hashable, Sendable {
        /// A commit of a repository: of one that GitHub holds, with its owner and name, or of any other.
        case repository(url: String, commit: String, gitHub: GitHubName?)
        /// An archive, unpacked, or a single file.
        case download(url: String)
        /// A folder of the source tree, or of the input that it is part of. Nothing is fetched for it.
        case folder(path: String)
    }

    /// An owner and a repository's name, in lower case as GitHub does not tell cases apart.
    public struct GitHubName: Hashable, Sendable {
        public let owner: String
        public let name: String
    }

    /// What the inputs that lead to it call it, from the flake on: `fenix/rust-analyzer-src`. Never empty, the first
    /// one nearest to the flake.
    public let names: [String]
    /// Whether its own `flake.nix` is evaluated.
    public let isFlake: Bool
    public let origin: Origin
    /// The SHA-256 of the Nix archive of its files (`narHash`); `nil` only for folders.
    public let narHash: Digest256?

    /// The host that it is fetched from.
    public var remote: RemoteAddress? {
        switch origin {
        case .repository(let url, _, _): RemoteAddress(url)
        case .download(let url): RemoteAddress(Self.withoutQuery(url))
        case .folder: nil
        }
    }

    /// The URL up to its query and fragment.
    static func withoutQuery(_ url: String) -> String { String(url.prefix { $0 != "?" && $0 != "#" }) }

    /// `nil` for folders.
    var pin: Pin? {
        guard let narHash else { return nil }
        var digest = ["sha256": narHash.hex]
        switch origin {
        case .repository(let url, let commit, let gitHub):
            digest["gitCommit"] = commit
            let location = "git+\(url)@\(commit)"
            if let gitHub {
                let uri = "pkg:github/\(gitHub.owner)/\(gitHub.name)@\(commit)"
                return Pin(uri: uri, location: location, digest: digest)
            }
            let name = PercentEncoding.encode(Self.lastName(of: url))
            let uri = "pkg:generic/\(name)@\(commit)?vcs_url=\(PercentEncoding.encode(location, keeping: ":/"))"
            return Pin(uri: uri, location: location, digest: digest)
        case .download(let url):
            let name = PercentEncoding.encode(Self.lastName(of: Self.withoutQuery(url)))
            let uri = "pkg:generic/\(name)?download_url=\(PercentEncoding.encode(url, keeping: ":/"))"
            return Pin(uri: uri, location: url, digest: digest)
        case .folder: return nil
        }
    }

    /// The last part of a URL's path, or its host where it has no path; without `.git`.
    private static func lastName(of url: String) -> String {
        let last = PathParts.last(url) ?? url
        return last.hasSuffix(".git") && last.utf8.count > 4 ? String(last.dropLast(4)) : last
    }
}

extension FlakeInput {
    /// What makes two inputs the same dependency.
    struct Pin: Hashable, Comparable {
        let uri: String
        let location: String
        let digest: [String: String]

        static func < (left: Pin, right: Pin) -> Bool {
            let texts = [left, right].map { [$0.uri, $0.location, $0.digest["sha256"] ?? ""] }
            return texts[0].lexicographicallyPrecedes(texts[1])
        }

        func descriptor(names: [String]) -> ResourceDescriptor {
            ResourceDescriptor(
                name: names.first, uri: uri, digest: digest, mediaType: ResourceDescriptor.nixArchiveType,
                downloadLocation: location, annotations: ["inputs": .array(names.map(JSONValue.string))])
        }
    }
}
