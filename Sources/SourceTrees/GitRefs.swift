// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds

/// What a server says of its refs: the output of `git ls-remote --symref`.
struct GitRefs {
    /// Object ids by the refs' whole names.
    private(set) var ids: [String: String] = [:]
    /// The branch that `HEAD` stands for; `nil` where the server does not say.
    private(set) var defaultBranch: String?

    init(_ output: [UInt8]) {
        for line in output.split(separator: 0x0A) {
            let fields = String(decoding: line, as: UTF8.self).split(separator: "\t", maxSplits: 1).map(String.init)
            guard fields.count == 2 else { continue }
            if fields[0].hasPrefix("ref: ") {
                if fields[1] == "HEAD" { defaultBranch = String(fields[0].dropFirst("ref: ".count)) }
            } else {
                ids[fields[1]] = fields[0]
            }
        }
    }

    /// The patterns to ask a server for.
    static func patterns(for ref: GitRef?) -> [String] {
        guard let ref else { return ["HEAD"] }
        return candidates(for: ref)
    }

    /// The whole name of `ref` on the server; `nil` where it is not there. Throws `SourceError` where it is a branch and
    /// a tag.
    func fullName(of ref: GitRef?) throws(BuildFailure) -> String? {
        guard let ref else { return ids["HEAD"] == nil ? nil : defaultBranch ?? "HEAD" }
        let names = Self.candidates(for: ref).filter { ids[$0] != nil }
        guard names.count < 2 || Set(names.map { ids[$0] }).count == 1 else {
            throw BuildFailure(
                .source,
                "'\(printable(ref.text))' is a branch and a tag; ask for \(names.joined(separator: " or "))")
        }
        return names.first
    }

    private static func candidates(for ref: GitRef) -> [String] {
        let exact = ref.text.hasPrefix("refs/") ? [ref.text] : []
        return exact + ["refs/heads/" + ref.text, "refs/tags/" + ref.text]
    }
}
