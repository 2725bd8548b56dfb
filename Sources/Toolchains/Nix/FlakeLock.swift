// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
public import Provenance
internal import StrictJSON

/// A `flake.lock` of version 6 or 7, checked: every input that it names is pinned by hash, and nothing else is in it
/// (Nix manual, "nix flake", section "Lock files").
public struct FlakeLock: Hashable, Sendable {
    /// Bytes; larger lockfiles are refused.
    public static let maximumSize = 4 << 20
    /// Inputs with all their own; lockfiles with more are refused.
    public static let maximumNodes = 8192
    /// Names that nodes give to their inputs.
    static let maximumEdges = 32768
    /// Bytes of an input's name with those of the inputs that it is an input of.
    static let maximumNameLength = 1024
    /// Inputs of inputs, and names in one `follows`; deeper ones are refused.
    public static let maximumDepth = 64

    /// 6 or 7; they differ only in what Nix promises of cycles, and neither may have one here.
    public let version: Int
    /// The names that the flake itself gives to its inputs, sorted.
    public let rootInputs: [String]
    /// All inputs, those of inputs too, by their first names.
    public let inputs: [FlakeInput]

    /// Throws `LockfileError` where the file is malformed, of another version or too large, where an input is missing,
    /// is not reached from the flake, or is an input of itself, and where an input is of a type that is not fetched
    /// here. Throws `UnpinnedDependencyError` where an input has no `narHash` or no commit, or stands only on somebody's
    /// machine.
    public init(parsing bytes: [UInt8]) throws(BuildFailure) {
        guard bytes.count <= Self.maximumSize else {
            throw Self.malformed("it has more than \(Self.maximumSize) bytes")
        }
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw Self.malformed(shown("\(error)"))
        }
        let file = try FlakeMembers(json, of: "the file", known: ["nodes", "root", "version"])
        version = try Self.version(of: file)
        let graph = try FlakeGraph(nodes: try file.object("nodes"), root: try file.string("root"))
        rootInputs = graph.rootInputs
        var inputs: [FlakeInput] = []
        for (key, names) in try graph.names() {
            guard let node = graph.nodes[key] else { continue }
            inputs.append(try FlakeInput(locked: node.locked, names: names, isFlake: node.isFlake))
        }
        self.inputs = inputs.sorted { ($0.names.first ?? "") < ($1.names.first ?? "") }
    }

    /// The inputs that are fetched, sorted by URI and hash. What is locked to the same place and hash under several names is one;
    /// inputs within the source tree are none, as the source's digest covers them.
    public var dependencies: [ResourceDescriptor] {
        var merged: [FlakeInput.Pin: [String]] = [:]
        for input in inputs {
            guard let pin = input.pin else { continue }
            merged[pin, default: []] += input.names
        }
        return merged.sorted { $0.key < $1.key }.map { $0.key.descriptor(names: $0.value.sorted()) }
    }

    /// Where the inputs are fetched from, sorted by host and port.
    public var hosts: [RemoteAddress] {
        Set(inputs.compactMap(\.remote)).sorted { ($0.host, $0.port) < ($1.host, $1.port) }
    }

    private static func version(of file: FlakeMembers) throws(BuildFailure) -> Int {
        guard let version = file["version"]?.integerValue, version == 6 || version == 7 else {
            throw BuildFailure(
                .lockfile,
                "flake.lock has an unknown format version; expected 6 or 7: write it anew with nix flake lock")
        }
        return version
    }

    static func malformed(_ reason: String) -> BuildFailure {
        BuildFailure(.lockfile, "flake.lock is malformed: \(reason); write it anew with nix flake lock")
    }
}

/// The members of an object of a `flake.lock`: none that is unknown.
struct FlakeMembers {
    private let members: [String: JSONValue]
    private let title: String

    /// - Parameter title: names the object in errors.
    init(_ json: JSONValue, of title: String, known: Set<String>) throws(BuildFailure) {
        guard let members = json.objectValue else { throw FlakeLock.malformed("\(title) is no object") }
        if let key = members.keys.filter({ !known.contains($0) }).min() {
            throw FlakeLock.malformed("\(title) has the unknown member '\(shown(key))'")
        }
        self.members = members
        self.title = title
    }

    subscript(key: String) -> JSONValue? { members[key] }

    func object(_ key: String) throws(BuildFailure) -> [String: JSONValue] {
        guard let object = members[key]?.objectValue else {
            throw FlakeLock.malformed("\(title) has no object '\(key)'")
        }
        return object
    }

    func string(_ key: String) throws(BuildFailure) -> String {
        guard let text = try optionalString(key) else { throw FlakeLock.malformed("\(title) has no '\(key)'") }
        return text
    }

    func optionalString(_ key: String) throws(BuildFailure) -> String? {
        guard let value = members[key] else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw FlakeLock.malformed("the '\(key)' of \(title) is no string, or an empty one")
        }
        return text
    }
}
