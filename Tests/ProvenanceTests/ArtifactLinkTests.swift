// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

@Suite struct ArtifactLinkTests {
    private static func facts(_ links: [(String, String)], subjects: [String] = ["bin/tool", "lib/v1/l.so"])
        -> BuildFacts
    {
        var facts = Samples.facts()
        facts.subjects = subjects.map { Subject(name: $0, sha256: Samples.digest($0)) }
        facts.links = links.map { ArtifactLink(name: $0.0, target: $0.1) }
        return facts
    }

    @Test func linksAreAByproductAndReadBackSorted() throws {
        let statement = try Self.facts([("lib/now", "v1"), ("bin/a", "tool")]).statement()
        let byproduct = try #require(statement.predicate["runDetails"]?["byproducts"]?.arrayValue?.last)
        let text = "{\"bin/a\":\"tool\",\"lib/now\":\"v1\"}"
        #expect(
            String(decoding: byproduct.canonicalBytes, as: UTF8.self) == """
                {"annotations":{"links":\(text)},"digest":{"sha256":"\(Samples.digest(text))"},"name":"artifact_links"}
                """)
        #expect(
            try BuildRecord(statement).links == [
                ArtifactLink(name: "bin/a", target: "tool"), ArtifactLink(name: "lib/now", target: "v1"),
            ])
    }

    @Test func withoutLinksThereIsNoByproduct() throws {
        let statement = try Samples.facts().statement()
        let names = statement.predicate["runDetails"]?["byproducts"]?.arrayValue?.map { $0["name"]?.stringValue }
        #expect(names?.contains("artifact_links") == false)
        #expect(try BuildRecord(statement).links.isEmpty)
    }

    @Test(arguments: [
        ("beside it", [("bin/a", "tool")]),
        ("up and down", [("bin/a", "../lib/v1/l.so")]),
        ("a folder", [("lib/now", "v1")]),
        ("a folder with a slash", [("lib/now", "v1/")]),
        ("its own folder", [("lib/same", ".")]),
        ("the top", [("bin/top", "..")]),
        ("with dots and slashes", [("bin/a", ".././lib//v1/l.so")]),
        ("through a link to a folder", [("lib/now", "v1"), ("bin/l.so", "../lib/now/l.so")]),
        ("up from where a link leads", [("deep", "lib/v1"), ("back", "deep/../v1/l.so")]),
        ("a link to a link", [("a", "b"), ("b", "bin/tool")]),
        ("a folder of links alone", [("links/a", "../bin/tool"), ("all", "links")]),
        ("names that are not ASCII", [("caf\u{E9}", "bin/tool"), ("中/l", "../caf\u{E9}")]),
    ])
    func linksThatStayInsideAreStated(name: String, links: [(String, String)]) throws {
        let record = try BuildRecord(Self.facts(links).statement())
        #expect(record.links.count == links.count)
    }

    @Test(arguments: [
        ("absolute", [("a", "/bin/tool")]),
        ("empty", [("a", "")]),
        ("up from the top", [("a", "../bin/tool")]),
        ("up and in again", [("bin/a", "../../artifacts/bin/tool")]),
        ("above by way of a link", [("up", "bin/.."), ("a", "up/../x")]),
        ("to nothing", [("a", "bin/other")]),
        ("through a file", [("a", "bin/tool/..")]),
        ("a file with a slash", [("a", "bin/tool/")]),
        ("a file and a dot", [("a", "bin/tool/.")]),
        ("to itself", [("a", "a")]),
        ("in a circle", [("a", "b"), ("b", "c"), ("c", "a")]),
        ("to itself by way of a folder", [("bin/a", "../bin/a")]),
        ("a backslash", [("a", "bin\\tool")]),
        ("a control character", [("a", "bin/\u{1B}[1m")]),
        ("a name that is no path", [("../a", "bin/tool")]),
        ("an empty name", [("", "bin/tool")]),
        ("a name with an empty part", [("x//a", "bin/tool")]),
        ("the name of an artifact", [("bin/tool", "../lib")]),
        ("the name of a folder", [("bin", "lib")]),
        ("a name below an artifact", [("bin/tool/a", "..")]),
        ("two of one name", [("a", "bin/tool"), ("a", "lib")]),
        ("a link below a link", [("now", "lib"), ("now/a", "v1")]),
        ("an artifact that looks the same", [("caf\u{E9}", "cafe\u{301}")]),
    ])
    func otherLinksAreRefused(name: String, links: [(String, String)]) {
        let error = #expect(throws: MalformedBytes.self, "\(name)") { try Self.facts(links).statement() }
        #expect(error?.field == "artifact_links", "\(name)")
    }

    /// A path that passes through a link would be written elsewhere.
    @Test func anArtifactBelowALinkIsRefused() {
        let facts = Self.facts([("lib64", "lib")], subjects: ["lib/l.so", "lib64/x"])
        #expect(throws: MalformedBytes.self) { try facts.statement() }
    }

    private static func chain(_ count: Int) -> BuildFacts {
        facts((1...count).map { ("l\($0)", $0 == 1 ? "bin/tool" : "l\($0 - 1)") })
    }

    @Test func asManyLinksAreFollowedAsLinuxFollows() {
        #expect(throws: Never.self) { try Self.chain(40).statement() }
        #expect(throws: MalformedBytes.self) { try Self.chain(41).statement() }
        #expect(throws: MalformedBytes.self) { try Self.chain(20_000).statement() }
        let repeated = Array(repeating: "x/..", count: 40).joined(separator: "/") + "/bin/tool"
        #expect(throws: MalformedBytes.self) { try Self.facts([("x", "bin"), ("a", repeated)]).statement() }
    }

    private static func leading(_ links: [(String, String)], to files: [String]) throws -> [String] {
        try ArtifactLink.leading(links.map { ArtifactLink(name: $0.0, target: $0.1) }, to: files).map(\.name)
    }

    @Test func onlyWhatLeadsSomewhereIsKept() throws {
        let links = [
            ("bin/a", "tool"), ("bin/b", "gone"), ("c", "bin/b"), ("d/x", "../c"), ("e", "d"), ("f", "d/../bin/tool"),
            ("g/x", "../bin/a"), ("h", "g"), ("i", "h/../bin"), ("j/k/l", "../../e"), ("m", "j/k/../../bin"),
            ("n", "i/tool"), ("o", "."),
        ]
        let kept = ["bin/a", "g/x", "h", "i", "n", "o"]
        #expect(try Self.leading(links, to: ["bin/tool"]) == kept)
        #expect(try Self.leading(links.reversed(), to: ["bin/tool"]) == kept.reversed())
        #expect(try Self.leading([("a/b/c", "../d"), ("a/d", "../e")], to: ["f"]) == [])
        #expect(throws: MalformedBytes.self) { try Self.leading([("a", "/bin")], to: ["bin"]) }
    }

    /// In less than a minute: each link is the only thing in the folder that the one before it leads to, and the last
    /// leads to nothing. Beside them are as many files and as many links to these.
    @Test(.timeLimit(.minutes(10))) func foldersThatEmptyOneAfterAnotherTakeNoLongerThanOthers() throws {
        let count = 30_000
        let files = (0..<count).map { "files/\($0)" }
        let chain = (0..<count).map { ("chain/\($0)/l", "../\($0 + 1)") }
        let good = (0..<count).map { ("good/\($0)", "../files/\($0)") }
        #expect(try Self.leading(chain + good, to: files) == good.map(\.0))
    }

    private static func replacing(_ old: String, by new: String) throws -> Statement {
        let text = String(decoding: try facts([("bin/a", "tool")]).statement().canonicalBytes, as: UTF8.self)
        #expect(text.contains(old))
        return try Statement(parsing: Array(text.replacing(old, with: new).utf8))
    }

    @Test(arguments: [
        ("another target", "\"bin/a\":\"tool\"", "\"bin/a\":\"./tool\""),
        ("a target that is no text", "\"bin/a\":\"tool\"", "\"bin/a\":1"),
        ("no links", "{\"bin/a\":\"tool\"}", "{}"),
        ("links that are no object", "{\"bin/a\":\"tool\"}", "[]"),
        ("another digest", Samples.digest("{\"bin/a\":\"tool\"}").hex, Samples.digest("x").hex),
        ("a field more", "\"name\":\"artifact_links\"", "\"name\":\"artifact_links\",\"uri\":\"x\""),
        ("an annotation more", "\"links\":", "\"other\":1,\"links\":"),
        ("another algorithm", "{\"sha256\":\"\(Samples.digest("{\"bin/a\":\"tool\"}"))\"}", "{\"md5\":\"00\"}"),
        ("no digest", ",\"digest\":{\"sha256\":\"\(Samples.digest("{\"bin/a\":\"tool\"}"))\"}", ""),
        ("twice", "\"name\":\"sbom.cdx.json\"", "\"name\":\"artifact_links\""),
    ])
    func onlyTheirOwnFormIsRead(name: String, old: String, new: String) throws {
        let statement = try Self.replacing(old, by: new)
        #expect(throws: MalformedBytes.self, "\(name)") { try BuildRecord(statement) }
    }
}
