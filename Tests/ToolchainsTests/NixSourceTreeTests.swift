// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Toolchains
import Testing

@Suite struct NixSourceTreeTests {
    private let project: TestProject

    init() throws {
        project = try TestProject(["t/a": "1", "t/sub/a": "2", "t/sub/b": "3"])
    }

    private func tree(maximumEntries: Int = 100) -> NixSourceTree {
        NixSourceTree(root: project.root + "/t", maximumEntries: maximumEntries)
    }

    @Test func aPartIsFoundByNameAndArchive() throws {
        let digest = try NixArchive.digest(of: project.root + "/t/sub/a")
        var tree = tree()
        #expect(try tree.hasPart(named: "a", digest))
        #expect(try !tree.hasPart(named: "b", digest))
        #expect(try !tree.hasPart(named: "c", digest))
        #expect(try tree.hasPart(named: "sub", NixArchive.digest(of: project.root + "/t/sub")))
    }

    /// A part that was not looked at would be taken for an input without a digest.
    @Test func aTreeWithTooManyEntriesIsRefused() throws {
        let digest = try NixArchive.digest(of: project.root + "/t/a")
        var full = tree(maximumEntries: 4)
        #expect(try full.hasPart(named: "a", digest))
        let failure = failure {
            var tree = tree(maximumEntries: 3)
            _ = try tree.hasPart(named: "a", digest)
        }
        #expect(failure?.kind == .resourceLimit)
        #expect(failure?.message.contains("more than 3 files") == true)
    }

    @Test func aFolderThatCannotBeReadIsAFaultOfTheSource() throws {
        var tree = NixSourceTree(root: project.root + "/nowhere")
        #expect(failureKind { _ = try tree.hasPart(named: "a", Digest256(of: [])) } == .source)
    }
}
