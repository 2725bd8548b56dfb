// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import StrictJSON

/// A node of a `flake.lock`: an input, and which nodes its own inputs are.
struct FlakeNode {
    enum Edge {
        case node(String)
        /// The same input as another one, named from the root: `follows`. No name is the root itself.
        case follows([String])
    }

    let locked: JSONValue
    let isFlake: Bool
    /// The input, named from the root, within whose source a relative path lies.
    let parent: [String]?
    /// By the name that the input has in this node.
    let edges: [String: Edge]
}

/// The nodes of a `flake.lock`, all of them reached from the root, none of them its own input.
struct FlakeGraph {
    /// All but the root.
    private(set) var nodes: [String: FlakeNode] = [:]

    private let root: String
    private let rootEdges: [String: FlakeNode.Edge]
    /// Where the `follows` lead that were looked at.
    private var followed: [[String]: String] = [:]
    /// The `follows` that are being looked at.
    private var following: Set<[String]> = []

    /// The names of the flake's own inputs, sorted.
    var rootInputs: [String] { rootEdges.keys.sorted() }

    init(nodes: [String: JSONValue], root: String) throws(BuildFailure) {
        guard nodes.count <= FlakeLock.maximumNodes else {
            throw FlakeLock.malformed("it has more than \(FlakeLock.maximumNodes) nodes")
        }
        guard let rootNode = nodes[root] else { throw FlakeLock.malformed("its root '\(shown(root))' is not in it") }
        self.root = root
        let members = try FlakeMembers(rootNode, of: "the root", known: ["inputs"])
        rootEdges = try Self.edges(members, "the root")
        for (key, json) in nodes where key != root { self.nodes[key] = try Self.node(json, "the node '\(shown(key))'") }
        guard rootEdges.count + self.nodes.values.reduce(0, { $0 + $1.edges.count }) <= FlakeLock.maximumEdges else {
            throw FlakeLock.malformed("its nodes have more than \(FlakeLock.maximumEdges) inputs")
        }
        try refuseCycles()
        try checkFollows()
    }

    private static func node(_ json: JSONValue, _ title: String) throws(BuildFailure) -> FlakeNode {
        let members = try FlakeMembers(json, of: title, known: ["inputs", "locked", "original", "flake", "parent"])
        guard let locked = members["locked"] else {
            throw BuildFailure(
                .unpinnedDependency, "\(title) of flake.lock is not locked; lock it with nix flake lock")
        }
        _ = try members.object("original")
        var parent: [String]?
        if let value = members["parent"] { parent = try path(value, "the parent of \(title)") }
        if let flake = members["flake"], flake.boolValue == nil {
            throw FlakeLock.malformed("the 'flake' of \(title) is neither true nor false")
        }
        return FlakeNode(
            locked: locked, isFlake: members["flake"]?.boolValue ?? true, parent: parent,
            edges: try edges(members, title))
    }

    private static func edges(
        _ members: FlakeMembers, _ title: String
    ) throws(BuildFailure) -> [String: FlakeNode.Edge] {
        guard members["inputs"] != nil else { return [:] }
        var edges: [String: FlakeNode.Edge] = [:]
        for (name, value) in try members.object("inputs") {
            guard isName(name) else {
                throw FlakeLock.malformed("\(title) has an input with the name '\(shown(name))', which is none")
            }
            if let key = value.stringValue {
                edges[name] = .node(key)
            } else {
                edges[name] = .follows(try path(value, "the input '\(shown(name))' of \(title)"))
            }
        }
        return edges
    }

    private static func path(_ json: JSONValue, _ title: String) throws(BuildFailure) -> [String] {
        guard let names = json.arrayValue, names.count <= FlakeLock.maximumDepth else {
            throw FlakeLock.malformed("\(title) is no array of at most \(FlakeLock.maximumDepth) names")
        }
        var path: [String] = []
        for name in names {
            guard let text = name.stringValue else { throw FlakeLock.malformed("\(title) is no array of strings") }
            path.append(text)
        }
        return path
    }

    /// Names are joined with slashes, and shown.
    private static func isName(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.properties.generalCategory != .control }
    }

    private func edges(of key: String) -> [String: FlakeNode.Edge] {
        key == root ? rootEdges : nodes[key]?.edges ?? [:]
    }

    /// The nodes that `key`'s inputs are themselves, sorted by the inputs' names. Throws where one is not there.
    private func children(of key: String) throws(BuildFailure) -> [(name: String, key: String)] {
        var children: [(name: String, key: String)] = []
        for (name, edge) in edges(of: key) {
            guard case .node(let child) = edge else { continue }
            guard child != root else {
                throw FlakeLock.malformed("the input '\(shown(name))' of '\(shown(key))' is the flake itself")
            }
            guard nodes[child] != nil else {
                throw FlakeLock.malformed(
                    "the input '\(shown(name))' of '\(shown(key))' is '\(shown(child))', which is not in it")
            }
            children.append((name, child))
        }
        return children.sorted { $0.name < $1.name }
    }

    /// Takes nodes away that no other has as an input until none is left, which leaves those in a circle.
    private func refuseCycles() throws(BuildFailure) {
        var uses: [String: Int] = [:]
        for key in [root] + nodes.keys { for child in try children(of: key) { uses[child.key, default: 0] += 1 } }
        if let key = nodes.keys.filter({ uses[$0] == nil }).min() {
            throw FlakeLock.malformed("no input is the node '\(shown(key))'")
        }
        var free = [root]
        while let key = free.popLast() {
            for child in try children(of: key) {
                let left = (uses[child.key] ?? 1) - 1
                uses[child.key] = left
                if left == 0 { free.append(child.key) }
            }
        }
        if let key = uses.filter({ $0.value > 0 }).keys.min() {
            throw FlakeLock.malformed("the node '\(shown(key))' is an input of itself, or of one that is")
        }
    }

    private mutating func checkFollows() throws(BuildFailure) {
        for key in [root] + nodes.keys.sorted() {
            if let parent = nodes[key]?.parent { _ = try node(at: parent, depth: 0) }
            // In one order, as what was looked at before shortens what comes after.
            for (_, edge) in edges(of: key).sorted(by: { $0.key < $1.key }) {
                if case .follows(let path) = edge { _ = try node(at: path, depth: 0) }
            }
        }
    }

    /// The node that a path of names from the root leads to.
    private mutating func node(at path: [String], depth: Int) throws(BuildFailure) -> String {
        if let known = followed[path] { return known }
        let title = shown(path.joined(separator: "/"))
        guard depth < FlakeLock.maximumDepth, following.insert(path).inserted else {
            throw FlakeLock.malformed("the input '\(title)' follows itself, or too many others")
        }
        var key = root
        for name in path {
            switch edges(of: key)[name] {
            case .node(let next): key = next
            case .follows(let other): key = try node(at: other, depth: depth + 1)
            case nil: throw FlakeLock.malformed("an input follows '\(title)', which is not in it")
            }
        }
        following.remove(path)
        followed[path] = key
        return key
    }

    /// Every node but the root with the names of the inputs that it is, nearest to the root first: `fenix`,
    /// `fenix/rust-analyzer-src`.
    func names() throws(BuildFailure) -> [String: [String]] {
        var names: [String: [String]] = [:]
        var level = [(key: root, name: "")]
        for _ in 0...FlakeLock.maximumDepth {
            var next: [(key: String, name: String)] = []
            for (key, prefix) in level {
                for child in try children(of: key) {
                    let name = prefix.isEmpty ? child.name : "\(prefix)/\(child.name)"
                    guard name.utf8.count <= FlakeLock.maximumNameLength else {
                        throw FlakeLock.malformed("the name '\(shown(name))' is too long")
                    }
                    if names[child.key] == nil { next.append((child.key, name)) }
                    names[child.key, default: []].append(name)
                }
            }
            if next.isEmpty { return names }
            level = next
        }
        throw FlakeLock.malformed("more than \(FlakeLock.maximumDepth) inputs are within each other")
    }
}
