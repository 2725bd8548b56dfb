// SPDX-License-Identifier: Apache-2.0

/// The symbolic links of one tree, and where each leads: followed the way a kernel does, but in memory, so that
/// nothing outside the tree is ever touched.
package struct LinkMap {
    private typealias Path = [UInt8]
    private var targets: [[UInt8]: [UInt8]] = [:]

    /// Links followed on the way to one target before it counts as endless, as in Linux.
    private static let followLimit = 40
    private static let depthLimit = 4096

    package init() {}

    /// Takes a link by its path below the tree's root.
    package mutating func add(_ path: String, target: String) { targets[Array(path.utf8)] = Array(target.utf8) }

    /// Whether the link at `path` leads to a place within the tree, existing or not: not absolute, at no step above
    /// the root, and not endless.
    package func staysInside(_ path: String) -> Bool {
        let start = Self.components(Array(path.utf8))
        guard let target = targets[Array(path.utf8)], target.first != Self.slash else { return false }
        var place = Array(start.dropLast())
        var pending = Array(Self.components(target).reversed())
        var followed = 0
        while let component = pending.popLast() {
            if component == Self.up {
                if place.isEmpty { return false }
                place.removeLast()
                continue
            }
            place.append(component)
            guard let next = targets[Array(place.joined(separator: [Self.slash]))] else { continue }
            followed += 1
            guard followed < Self.followLimit, place.count < Self.depthLimit, next.first != Self.slash else {
                return false
            }
            place.removeLast()
            pending.append(contentsOf: Self.components(next).reversed())
        }
        return true
    }

    private static let slash = UInt8(ascii: "/")
    private static let up = Array("..".utf8)

    private static func components(_ path: Path) -> [Path] {
        path.split(separator: slash).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
    }
}
