// SPDX-License-Identifier: Apache-2.0
import StrictJSON
import Toolchains

/// Makes texts of `flake.lock`.
enum FlakeLockText {
    static let narHash = "sha256-f09fAifGPEuRrz1DFY910jexq0DaBuQBbq7WcxQIUgs="
    static let commit = "55106e04d905c6a7726d0f6be77ed39a99f66a61"

    static let gitHub: JSONValue = [
        "type": "github", "owner": "Owner", "repo": "Repo", "rev": .string(commit), "narHash": .string(narHash),
        "lastModified": 1,
    ]

    static func node(_ locked: JSONValue = gitHub, inputs: JSONValue? = nil, _ more: [String: JSONValue] = [:])
        -> JSONValue
    {
        var members: [String: JSONValue] = ["locked": locked, "original": ["type": "indirect", "id": "x"]]
        members["inputs"] = inputs
        return .object(members.merging(more) { _, new in new })
    }

    static func bytes(root: JSONValue = ["a": "a"], _ nodes: [String: JSONValue], version: JSONValue = 7) -> [UInt8] {
        let nodes = nodes.merging(["root": ["inputs": root]]) { first, _ in first }
        return JSONValue.object(["nodes": .object(nodes), "root": "root", "version": version]).canonicalBytes
    }

    /// A lock of one input.
    static func bytes(locked: JSONValue) -> [UInt8] { bytes(["a": node(locked)]) }

    /// `gitHub` with some members changed, those that are `nil` taken away.
    static func changed(_ changes: [String: JSONValue?], _ locked: JSONValue = gitHub) -> JSONValue {
        var members = locked.objectValue ?? [:]
        for (key, value) in changes { members[key] = value }
        return .object(members)
    }
}
