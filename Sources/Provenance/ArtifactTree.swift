// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// The folder that artifacts and links make, in memory: what a link leads to is found as a kernel finds it, and nothing
/// outside of the folder is ever touched.
struct ArtifactTree {
    private enum Kind {
        case folder
        case file
        case link(target: String)
    }

    private struct Node {
        let parent: Int
        var kind: Kind
        var children: [[UInt8]: Int] = [:]
    }

    /// Where a link leads, and how many links are followed on the way.
    private struct Way {
        let end: Int
        let followed: Int
    }

    /// Links followed on one way before it counts as endless, as in Linux.
    private static let followLimit = 40

    private var nodes = [Node(parent: 0, kind: .folder)]
    /// Of each link whose way is known already.
    private var ways: [Int: Way] = [:]
    /// Of folders and links, the links whose ways they are on. A folder that one of these lies in may be left out.
    private var dependents: [Int: [Int]] = [:]

    /// Throws where a name is no plain path or stands for two things, a path passes through an artifact or a link, a
    /// target is absolute or has other characters than a name may have, or a link leads out of the folder, to nothing
    /// that is stated, or in a circle.
    static func check(_ links: [ArtifactLink], beside subjects: [Subject]) throws(MalformedBytes) {
        var tree = try ArtifactTree(files: subjects.map(\.name))
        let places = try tree.add(links)
        for (link, node) in places where tree.way(from: node, depth: 0) == nil {
            throw ArtifactLink.malformed(
                "'\(link.name)' leads to '\(link.target)', which is no artifact and no folder of artifacts")
        }
    }

    /// Of `links`, those that lead to a file or a folder of files, through each other if need be. Throws as
    /// ``check(_:beside:)`` does, but for links that lead nowhere.
    static func leading(_ links: [ArtifactLink], to files: [String]) throws(MalformedBytes) -> [ArtifactLink] {
        var tree = try ArtifactTree(files: files)
        let places = try tree.add(links)
        let astray = places.map(\.node).filter { tree.way(from: $0, depth: 0) == nil }
        let removed = tree.removed(with: astray)
        return places.filter { !removed.contains($0.node) }.map(\.link)
    }

    /// What has to go with some links: the folders in which nothing is left, and the links whose ways lead through any
    /// of these, whose folders may then be empty in turn. Each is visited once.
    private func removed(with links: [Int]) -> Set<Int> {
        var removed = Set(links)
        var left = nodes.map(\.children.count)
        var waiting = links
        while let node = waiting.popLast() {
            let folder = nodes[node].parent
            left[folder] -= 1
            let emptied = left[folder] == 0 && folder != 0 ? [folder] : []
            for next in emptied + (dependents[node] ?? []) where removed.insert(next).inserted {
                waiting.append(next)
            }
        }
        return removed
    }

    private init(files: [String]) throws(MalformedBytes) {
        for file in files { _ = try add(file, .file) }
    }

    private mutating func add(
        _ links: [ArtifactLink]
    ) throws(MalformedBytes) -> [(link: ArtifactLink, node: Int)] {
        var places: [(link: ArtifactLink, node: Int)] = []
        for link in links {
            guard PlainPath.isPlain(link.name) else {
                throw ArtifactLink.malformed("'\(link.name)' is not a plain relative path")
            }
            guard !link.target.isEmpty, !link.target.utf8.starts(with: "/".utf8),
                PlainPath.hasPlainCharacters(link.target)
            else { throw ArtifactLink.malformed("'\(link.name)' must lead to a relative path, not '\(link.target)'") }
            places.append((link, try add(link.name, .link(target: link.target))))
        }
        return places
    }

    private mutating func add(_ path: String, _ kind: Kind) throws(MalformedBytes) -> Int {
        var place = 0
        for part in PlainPath.parts(of: path) {
            guard case .folder = nodes[place].kind else {
                throw ArtifactLink.malformed("'\(path)' passes through an artifact or a link")
            }
            if let next = nodes[place].children[part] {
                place = next
            } else {
                nodes.append(Node(parent: place, kind: .folder))
                nodes[place].children[part] = nodes.count - 1
                place = nodes.count - 1
            }
        }
        guard case .folder = nodes[place].kind, nodes[place].children.isEmpty, place != 0 else {
            throw ArtifactLink.malformed("'\(path)' stands for two things")
        }
        nodes[place].kind = kind
        return place
    }

    /// The way from a link to a file or folder; `nil` where it leads nowhere. Each link's is found once.
    private mutating func way(from link: Int, depth: Int) -> Way? {
        if let known = ways[link] { return known }
        guard case .link(let target) = nodes[link].kind, depth < Self.followLimit else { return nil }
        var place = nodes[link].parent
        var followed = 1
        var needed: Set<Int> = []
        for part in PlainPath.parts(of: target) {
            // Whatever follows a part, be it nothing but a slash, needs a folder.
            guard case .folder = nodes[place].kind else { return nil }
            if part.isEmpty || part == PlainPath.here { continue }
            if part == PlainPath.up {
                guard place != 0 else { return nil }
                needed.insert(place)
                place = nodes[place].parent
                continue
            }
            guard let next = nodes[place].children[part] else { return nil }
            place = next
            if case .link = nodes[next].kind {
                needed.insert(next)
                guard let further = way(from: next, depth: depth + 1) else { return nil }
                followed += further.followed
                guard followed <= Self.followLimit else { return nil }
                place = further.end
            }
        }
        needed.insert(place)
        for node in needed { dependents[node, default: []].append(link) }
        ways[link] = Way(end: place, followed: followed)
        return ways[link]
    }
}
