// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Toolchains

/// The outputs of a result as artifacts.
@Suite struct NixOutputsTests {
    private let made: TestStore
    private let out: NixStorePath
    private let other: NixStorePath

    init() throws {
        made = try TestStore()
        out = try TestStore.path("1", "app-1.0")
        other = try TestStore.path("2", "lib")
    }

    private func collect(_ outputs: [(name: String, path: NixStorePath)]? = nil) throws -> CollectedFiles {
        try NixOutputs(store: made.store, outputs: outputs ?? [("out", out)]).collect(needed: [out])
    }

    private func links(_ files: CollectedFiles) -> [String: String] {
        Dictionary(uniqueKeysWithValues: files.links.map { ($0.name, $0.target) })
    }

    @Test func aFileHasTheOutputsName() throws {
        try made.write(out, "program")
        let files = try collect()
        #expect(files.artifacts.map(\.name) == ["app-1.0"])
        #expect(files.artifacts.map(\.relativePath) == ["nix/store/\(out.baseName)"])
        #expect(files.byproducts.isEmpty && files.notes.isEmpty)
    }

    @Test func aTreeKeepsItsShapeAndItsLinks() throws {
        try made.write(out, "program", at: "/bin/app")
        try made.write(out, "library", at: "/lib/libapp.so.1.2")
        try made.link(out, at: "lib/libapp.so.1", to: "libapp.so.1.2")
        try made.link(out, at: "lib/libapp.so", to: "libapp.so.1")
        try made.link(out, at: "lib64", to: "lib")
        try made.link(out, at: "sbin/app", to: "\(out)/bin/app")
        let files = try collect()
        #expect(files.artifacts.map(\.name) == ["bin/app", "lib/libapp.so.1.2"])
        #expect(
            links(files) == [
                "lib/libapp.so": "libapp.so.1", "lib/libapp.so.1": "libapp.so.1.2", "lib64": "lib",
                "sbin/app": "../bin/app",
            ])
    }

    @Test func whatALinkToAnotherStorePathLeadsToIsTakenInItsPlace() throws {
        try made.write(other, "tool", at: "/bin/tool")
        try made.link(other, at: "bin/alias", to: "tool")
        try made.link(out, at: "bin", to: "\(other)/bin")
        let files = try collect()
        #expect(files.links.isEmpty)
        #expect(files.artifacts.map(\.name) == ["bin/alias", "bin/tool"])
        #expect(Set(files.artifacts.map(\.relativePath)) == ["nix/store/\(other.baseName)/bin/tool"])
    }

    @Test func anOutputThatIsALinkIsTheFileThatItLeadsTo() throws {
        try made.write(other, "tool", at: "/tool")
        try made.project.link("output/nix/store/\(out.baseName)", to: "\(other)/tool")
        #expect(try collect().artifacts.map(\.name) == ["app-1.0"])
    }

    @Test(arguments: [
        ("bin/app", "/etc/passwd"), ("bin/app", "../../../../../etc/passwd"), ("bin/app", "missing"),
        ("bin/app", "app"), ("bin/app", "/nix/store"), ("bin/app", "/nix/store/../../etc/passwd"), ("bin", "bin/bin"),
    ]) func aLinkThatLeadsOutOrNowhereIsRefused(_ place: String, _ target: String) throws {
        try made.write(out, "file", at: "/share/file")
        try made.link(out, at: place, to: target)
        #expect(failureKind { _ = try collect() } == .artifact)
    }

    /// To Swift the slash behind U+0600, or before a mark, is no character of its own.
    @Test(arguments: ["l\u{600}/root/secret", "\u{301}l/root/secret"])
    func aLinkThatLeadsThroughALinkOutIsRefused(_ through: String) throws {
        let name = try #require(PathParts.all(through).first)
        try made.project.write("root/secret", "of the machine")
        try made.link(other, at: "x/\(name)", to: made.project.root)
        for target in ["\(other)/x/\(through)", "../../\(other.baseName)/x/\(through)"] {
            try made.link(out, at: "art", to: target)
            #expect(failureKind { _ = try collect() } == .artifact)
            try made.project.remove("output/nix/store/\(out.baseName)/art")
        }
        try made.link(out, at: "art", to: "\(out)/\(through)")
        try made.link(out, at: name, to: made.project.root)
        #expect(failureKind { _ = try collect() } == .artifact)
    }

    @Test func linksWithinAnOutputAreTakenApartByBytes() throws {
        try made.write(out, "file", at: "/a\u{600}/\u{301}b")
        try made.link(out, at: "same", to: "\(out)/a\u{600}/\u{301}b")
        try made.link(out, at: "a\u{600}/up", to: "../a\u{600}/\u{301}b")
        #expect(links(try collect()) == ["same": "a\u{600}/\u{301}b", "a\u{600}/up": "../a\u{600}/\u{301}b"])
    }

    @Test func aLinkToAnEmptyFolderIsLeftOut() throws {
        try made.write(out, "file", at: "/share/file")
        try made.link(out, at: "empty/link", to: "..")
        try made.project.remove("output/nix/store/\(out.baseName)/empty/link")
        try made.link(out, at: "link", to: "empty")
        let files = try collect()
        #expect(files.links.isEmpty)
        #expect(files.artifacts.map(\.name) == ["share/file"])
    }

    @Test func linksThroughLinksAreKeptAndChainsToNothingLeftOut() throws {
        try made.write(out, "library", at: "/lib/libapp.so")
        try made.link(out, at: "lib64", to: "lib")
        try made.link(out, at: "bin/x", to: "../lib64/libapp.so")
        try made.link(out, at: "here", to: ".")
        try made.link(out, at: "empty/only", to: "../nothing/..")
        try made.project.remove("output/nix/store/\(out.baseName)/empty/only")
        try made.link(out, at: "first", to: "second")
        try made.link(out, at: "second", to: "empty")
        #expect(links(try collect()) == ["lib64": "lib", "bin/x": "../lib64/libapp.so", "here": "."])
    }

    @Test func foldersThatLeadToEachOtherManyTimesAreRefused() throws {
        let paths = try "0123456789abcdfghijk".map { try TestStore.path($0, "level") }
        for (path, next) in zip(paths, paths.dropFirst()) {
            for place in ["a", "b"] { try made.link(path, at: place, to: "\(next)") }
        }
        try made.write(try #require(paths.last), "file", at: "/file")
        let outputs = NixOutputs(store: made.store, outputs: [("out", try #require(paths.first))])
        #expect(failureKind { _ = try outputs.collect(needed: []) } == .artifact)
    }

    @Test func severalOutputsStandBelowTheirNames() throws {
        try made.write(out, "program", at: "/bin/app")
        try made.write(other, "header", at: "/include/app.h")
        let files = try collect([("out", out), ("dev", other)])
        #expect(files.artifacts.map(\.name) == ["dev/include/app.h", "out/bin/app"])
    }

    @Test func storePathsThatTheArtifactsNameAreListedAndSaid() throws {
        try made.write(out, "program")
        let files = try NixOutputs(store: made.store, outputs: [("out", out)]).collect(needed: [out, other])
        #expect(files.byproducts.map(\.name) == ["runtime_store_paths"])
        #expect(files.byproducts.first?.annotations["paths"] == [.string(other.description)])
        #expect(files.byproducts.first?.digest["sha256"]?.utf8.count == 64)
        #expect(files.notes.first?.contains(other.description) == true)
    }
}
