// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Testing
import Toolchains

@Suite struct NixSourceTreeTests {
    private let project: TestProject

    init() throws { project = try TestProject(["a/x": "1", "b/c/x": "2", "b/y": "1"]) }

    private func digest(_ path: String) throws -> Digest256 { try NixArchive.digest(of: project.root + "/" + path) }

    @Test func partsAreFoundByNameAndContent() throws {
        var tree = NixSourceTree(root: project.root)
        let (first, second) = (try digest("a/x"), try digest("b/c/x"))
        #expect(try tree.hasPart(named: "x", first))
        #expect(try tree.hasPart(named: "x", second))
        #expect(try tree.hasPart(named: "y", first))
        #expect(try tree.hasPart(named: "c", digest("b/c")))
        #expect(try !tree.hasPart(named: "y", second))
        #expect(try !tree.hasPart(named: "a", first))
        #expect(try !tree.hasPart(named: "z", first))
    }

    /// What is changed after it was hashed shows that it is not hashed again.
    @Test func eachPlaceIsHashedOnce() throws {
        var tree = NixSourceTree(root: project.root)
        let before = try digest("b/y")
        #expect(try !tree.hasPart(named: "y", digest("b/c/x")))
        try FileManager.default.removeItem(atPath: project.root + "/b/y")
        try project.write("b/y", "changed")
        #expect(try tree.hasPart(named: "y", before))
    }

    @Test func aTreeOfTooManyEntriesIsRefused() throws {
        var tree = NixSourceTree(root: project.root, maximumEntries: 6)
        #expect(try !tree.hasPart(named: "z", digest("a/x")))
        var small = NixSourceTree(root: project.root, maximumEntries: 5)
        let any = try digest("a/x")
        #expect(failureKind { _ = try small.hasPart(named: "z", any) } == .resourceLimit)
    }

    @Test func deepFoldersAreListed() throws {
        let folders = Array(repeating: "d", count: 100).joined(separator: "/")
        try project.write("\(folders)/x", "3")
        var tree = NixSourceTree(root: project.root)
        #expect(try tree.hasPart(named: "x", digest("\(folders)/x")))
    }
}
