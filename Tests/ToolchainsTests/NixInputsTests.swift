// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Toolchains

/// What is in the store after the fetch phase, compared with what was promised.
@Suite struct NixInputsTests {
    private let made: TestStore

    init() throws { made = try TestStore() }

    private func verify(
        _ inputs: [NixStorePath] = [], sources: [NixStorePath] = [], substituted: [NixStorePath: Digest256] = [:],
        lock: FlakeLock? = nil, evaluated: [NixStorePath] = []
    ) throws -> [ResourceDescriptor] {
        let top = try made.derivation(
            "app", output: TestStore.path("2", "app"), inputs: inputs, sources: sources)
        let plan = try NixPlan(top: top, in: made.store)
        return try NixInputs(
            plan: plan, store: made.store, evaluated: Set(evaluated), substituted: substituted, lock: lock,
            project: Project(sourceRoot: made.workspace.path(.source)), caches: ["https://cache.example"]
        ).verify()
    }

    @Test func aDownloadIsListedWithURLAndDigest() throws {
        let found = try verify([try made.download("file.tar", "content", delivered: "content")])
        let hex = Digest256(of: Array("content".utf8)).hex
        #expect(found.map(\.name) == ["file.tar"])
        #expect(found.first?.digest == ["sha256": hex])
        #expect(found.first?.mediaType == nil)
        #expect(found.first?.downloadLocation == "https://example.com/file")
        #expect(
            found.first?.uri == "pkg:generic/file.tar?checksum=sha256:\(hex)&download_url=https://example.com/file")
        #expect(found.first?.annotations["hashMode"] == "flat")
    }

    @Test func aDownloadWithoutURLIsListedByItsDigest() throws {
        let found = try verify([try made.download("data", "content", delivered: "content", url: nil)])
        #expect(found.first?.uri?.contains("download_url") == false)
    }

    @Test(arguments: ["contenT", "", nil]) func anotherDownloadIsRefused(_ delivered: String?) throws {
        let input = try made.download("file", "content", delivered: delivered)
        let failure = failure { _ = try verify([input]) }
        #expect(failure?.kind == .inputVerification)
        #expect(failure?.message.contains("'file'") == true)
    }

    @Test(arguments: [NixHash.Algorithm.md5, .sha1]) func aHashThatPinsNothingIsRefused(
        _ algorithm: NixHash.Algorithm
    ) throws {
        let input = try made.download("file", "content", delivered: "content", algorithm: algorithm)
        #expect(failureKind { _ = try verify([input]) } == .unpinnedDependency)
    }

    @Test func derivationsThatPromiseTheSameAreListedOnce() throws {
        let first = try made.download("file", "content", delivered: "content")
        let second = try made.download("file", "content", delivered: nil, url: "https://example.com/other")
        #expect(try verify([first, second]).count == 1)
    }

    @Test func aFileCalledSourceIsListedToo() throws {
        let hash = try NixHash(.sha256, bytes: Digest256(of: Array("fetched".utf8)).bytes)
        let path = try NixStorePath(ofFixedOutput: NixFixedOutput(mode: .flat, hash: hash), name: "source")
        try made.write(path, "fetched")
        #expect(try verify(evaluated: [path]).map(\.digest) == [["sha256": hash.hex]])
    }

    @Test func aFileCalledLikeADerivationIsListedToo() throws {
        let hash = try NixHash(.sha256, bytes: Digest256(of: Array("Derive([])".utf8)).bytes)
        let path = try NixStorePath(ofFixedOutput: NixFixedOutput(mode: .flat, hash: hash), name: "a.drv")
        try made.write(path, "Derive([])")
        let real = try made.derivation("b", output: TestStore.path("1", "b"))
        #expect(try made.store.contents() == [path])
        #expect(try verify(evaluated: made.store.contents().sorted()).map(\.name) == ["a.drv"])
        #expect(real.isDerivation)
    }

    @Test func anInputThatIsNotInTheStoreIsRefused() throws {
        let tree = try made.source("source", "of the input")
        let hash = try NixHash(.sha256, bytes: NixArchive.digest(of: made.store.place(of: tree)).bytes)
        let text = """
            {"nodes": {"a": {"locked": {"type": "tarball", "url": "https://example.com/a.tar.gz", \
            "narHash": "\(hash.sri)"}, "original": {"type": "tarball", "url": "https://example.com/a.tar.gz"}}, \
            "root": {"inputs": {"a": "a"}}}, "root": "root", "version": 7}
            """
        let lock = try FlakeLock(parsing: Array(text.utf8))
        #expect(try verify(lock: lock, evaluated: [tree]).isEmpty)
        try made.project.remove("output/nix/store/\(tree.baseName)")
        #expect(failureKind { _ = try verify(lock: lock) } == .inputVerification)
    }

    @Test func aSHA512Pins() throws {
        let found = try verify([
            try made.download("file", "content", delivered: "content", algorithm: .sha512)
        ])
        #expect(found.first?.digest.keys.sorted() == ["sha512"])
        #expect(found.first?.digest["sha512"]?.utf8.count == 128)
    }

    @Test func aLinkInPlaceOfADownloadIsNotFollowed() throws {
        let input = try made.download("file", "content", delivered: nil)
        let output = try #require(try NixPlan(top: input, in: made.store).derivations[input]?.outputs.first?.path)
        try made.project.write("elsewhere", "content")
        try made.project.link("output/nix/store/\(output.baseName)", to: made.project.root + "/elsewhere")
        #expect(failureKind { _ = try verify([input]) } == .inputVerification)
    }

    @Test func aSourceIsListedAndAChangedOneRefused() throws {
        let source = try made.source("patch", "one line")
        let found = try verify(sources: [source])
        #expect(found.map(\.name) == ["patch"])
        #expect(found.first?.mediaType == "application/x-nix-archive")
        try made.write(source, "two lines")
        #expect(failureKind { _ = try verify(sources: [source]) } == .inputVerification)
    }

    @Test func aPartOfTheSourceTreeIsNotListedAgain() throws {
        try made.project.write("source/deep/patch", "one line")
        #expect(try verify(sources: [made.source("patch", "one line")]).isEmpty)
        #expect(try verify(sources: [made.source("patch", "another line")]).count == 1)
    }

    @Test func aTextThatNamesAnotherPathIsVerified() throws {
        let source = try made.source("patch", "one line")
        let text = "see \(source)"
        let path = try NixStorePath(ofText: Array(text.utf8), name: "note", references: [source])
        try made.write(path, text)
        let names = try verify(sources: [source, path], evaluated: [source, path]).compactMap(\.name)
        #expect(names.sorted() == ["note", "patch"])
        try made.write(path, text + ".")
        #expect(failureKind { _ = try verify(sources: [path], evaluated: [source, path]) } == .inputVerification)
    }

    @Test func whatTheEvaluationFetchedIsListedThoughNoDerivationReadsIt() throws {
        let tree = try made.source("tree", "fetched")
        let note = try NixStorePath(ofText: Array("a note".utf8), name: "note", references: [])
        try made.write(note, "a note")
        #expect(try verify(evaluated: [tree, note]).map(\.name) == ["tree"])
        try made.write(tree, "changed")
        #expect(failureKind { _ = try verify(evaluated: [tree]) } == .inputVerification)
    }

    @Test func whatCameFromACacheIsToldApart() throws {
        let library = try TestStore.path("1", "lib")
        let input = try made.derivation(
            "lib", output: library, inputs: [made.download("never", "fetched", delivered: nil)])
        try made.write(library, "built elsewhere")
        let digest = try NixArchive.digest(of: made.store.place(of: library))
        let found = try verify([input], substituted: [library: digest])
        #expect(found.map { $0.annotations["kind"]?.stringValue } == ["substituted"])
        #expect(found.first?.annotations["substituters"] == ["https://cache.example"])
        try made.write(library, "changed since")
        #expect(failureKind { _ = try verify([input], substituted: [library: digest]) } == .inputVerification)
    }
}
