// SPDX-License-Identifier: Apache-2.0
internal import Provenance

/// Where Cargo takes a locked package from: the `source` of a `Cargo.lock` entry.
public enum CargoSource: Hashable, Sendable {
    /// `registry+URL` or `sparse+URL`; the URL without that prefix.
    case registry(url: String)
    /// `git+URL?branch=…#commit`; `reference` is the query without its question mark.
    case git(url: String, reference: String?, commit: String?)

    /// The index of crates.io, as lockfiles name it.
    public static let cratesIO = CargoSource.registry(url: "https://github.com/rust-lang/crates.io-index")

    /// `nil` where the text is no source that Cargo writes.
    init?(_ text: String) {
        guard text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            let plus = text.firstIndex(of: "+")
        else { return nil }
        let rest = String(text[text.index(after: plus)...])
        guard !rest.isEmpty else { return nil }
        switch text[..<plus] {
        case "registry": self = .registry(url: rest)
        case "sparse": self = rest == "https://index.crates.io/" ? .cratesIO : .registry(url: rest)
        case "git": self = Self.git(rest)
        default: return nil
        }
    }

    private static func git(_ text: String) -> CargoSource {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let address = parts[0].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return .git(
            url: String(address[0]), reference: address.count > 1 ? String(address[1]) : nil,
            commit: parts.count > 1 ? String(parts[1]) : nil)
    }

    /// Without prefix, query and fragment.
    var url: String {
        switch self {
        case .registry(let url), .git(let url, _, _): url
        }
    }
}

extension LockedPackage {
    /// The package URL (purl specification, type `cargo`); `nil` for packages of the source tree itself.
    public var packageURL: String? {
        guard let source else { return nil }
        let base = "pkg:cargo/\(PercentEncoding.encode(name))@\(PercentEncoding.encode(version))"
        switch source {
        case .cratesIO: return base
        case .registry(let url): return base + "?repository_url=" + PercentEncoding.encode(url, keeping: ":/")
        case .git(let url, _, let commit):
            let location = "git+\(url)" + (commit.map { "@\($0)" } ?? "")
            return base + "?vcs_url=" + PercentEncoding.encode(location, keeping: ":/")
        }
    }
}
