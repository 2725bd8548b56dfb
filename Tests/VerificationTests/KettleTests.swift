// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

@Suite struct KettleTests {
    /// A bundle whose provenance is of Kettle's build type, indented; only the parts that verification reads.
    private static func bundle(_ signedBytes: @escaping ([UInt8]) -> [UInt8]) -> MadeBundle {
        var bundle = MadeBundle()
        bundle.statement = {
            $0.replacing(BuildFacts.buildTypeBase, with: "https://lunal.dev/kettle/").replacing(",\"", with: ",\n \"")
        }
        bundle.signedBytes = signedBytes
        bundle.touched = { $0.removeFilesOfOurs() }
        return bundle
    }

    @Test func aBundleBoundByItsRawBytesVerifies() throws {
        let report = try Self.bundle { $0 }.verify(nonce: "abcd")
        #expect(report.exitCode == 0, "\(report.text(colour: false))")
        #expect(report.lines.contains { $0.name == "binding" && $0.compared.contains("as it lies there") })
    }

    @Test func aBundleBoundWithoutItsWhiteSpaceVerifiesAndSaysSo() throws {
        let report = try Self.bundle { CompactJSON.bytes(of: $0) }.verify(nonce: "abcd")
        #expect(report.exitCode == 0, "\(report.text(colour: false))")
        #expect(report.lines.contains { $0.name == "binding" && $0.compared.contains("without white space") })
    }

    @Test func anyOtherBindingIsRefused() throws {
        let other = try Self.bundle { $0 + [0x20] }.verify()
        #expect(other.findings.map(\.code.rawValue) == ["binding.provenance"])
    }

    @Test func aDependencyWithoutADigestIsRefused() throws {
        var bundle = Self.bundle { $0 }
        let indented = bundle.statement
        bundle.statement = {
            indented($0).replacing("\"resolvedDependencies\":[", with: "\"resolvedDependencies\":[{\"name\":\"n\"},")
        }
        #expect(try bundle.verify().findings.map(\.code.rawValue) == ["provenance.unpinned"])
    }

    @Test func aLogThatNothingNamesIsRefused() throws {
        var bundle = Self.bundle { $0 }
        bundle.touched = { $0.remove("sbom.cdx.json") }
        #expect(try bundle.verify().findings.map(\.code.rawValue) == ["file.unnamed"])
    }

    @Test(arguments: [
        (" { \"a b\" : [ 1 , 2 ] }\n", "{\"a b\":[1,2]}"),
        (#"{"a\" \\": "\\" , "b" : " \n" }"#, #"{"a\" \\":"\\","b":" \n"}"#),
        ("\t1.50\r\n", "1.50"),
    ])
    func onlyWhiteSpaceBetweenTokensIsRemoved(text: String, compact: String) {
        #expect(String(decoding: CompactJSON.bytes(of: Array(text.utf8)), as: UTF8.self) == compact)
    }

    @Test(arguments: [0, 1, 16])
    func nonceFormsAreNamed(count: Int) throws {
        var bundle = Self.bundle { $0 }
        bundle.signedNonce = [UInt8](repeating: 0xCD, count: count)
        let report = try bundle.verify()
        #expect(report.exitCode == 0)
        let line = try #require(report.lines.first { $0.name == "nonce" })
        #expect(line.compared.contains(count == 0 ? "32 zeros follow the digest" : Hex.encode(bundle.signedNonce)))
    }

    @Test(arguments: [17, 32])
    func aLongerNonceIsRefused(count: Int) throws {
        var bundle = Self.bundle { $0 }
        bundle.signedNonce = [UInt8](repeating: 0xCD, count: count)
        #expect(try bundle.verify().findings.map(\.code.rawValue) == ["binding.nonce"])
    }

    @Test func anotherNonceIsNotFresh() throws {
        #expect(try Self.bundle { $0 }.verify(nonce: "abce").findings.map(\.code.rawValue) == ["binding.freshness"])
    }

    @Test func whatKettleDoesNotStateMeetsNoRule() throws {
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        policy.provenance.sourceRefs = [Pattern("**")]
        policy.provenance.sourceArchives = [Digest256(of: [])]
        policy.provenance.builderVersions = ["cupel": [Pattern("**")]]
        policy.provenance.phasesWithoutNetwork = ["build"]
        #expect(
            try Self.bundle { $0 }.verify(policy: policy).findings.map(\.code.rawValue) == [
                "policy.source.ref", "policy.source.archive", "policy.builder.version", "policy.network",
            ])
    }

    /// Kettle writes its source and its tools in a form of its own.
    @Test func whatKettleStatesIsComparedWithThePolicy() throws {
        var bundle = Self.bundle { $0 }
        let inner = bundle.statement
        bundle.statement = { text in
            inner(text).replacing(
                "\"externalParameters\":{", with: "\"externalParameters\":{\"buildCommand\":\"cargo build\","
            ).replacing("{\"name\":\"probe.tar.gz\"}", with: Self.source)
                .replacing("\"internalParameters\":{", with: "\"internalParameters\":{\"toolchain\":\(Self.toolchain),")
        }
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        policy.provenance.sourceURIs = [Pattern("https://github.com/you/*")]
        policy.provenance.sourceCommits = [Pattern("cc*")]
        policy.provenance.tools = [ToolRule(name: "rustc", versions: [Pattern("rustc 1.*")])]
        let report = try bundle.verify(policy: policy)
        #expect(report.exitCode == 0, "\(report.text(colour: false))")
        policy.provenance.sourceURIs = [Pattern("https://github.com/others/*")]
        #expect(try bundle.verify(policy: policy).findings.map(\.code.rawValue) == ["policy.source.uri"])
    }

    private static let source = "{\"digest\":{\"gitCommit\":\"cccc\"},\"uri\":\"https://github.com/you/probe\"}"
    private static let toolchain = "{\"rustc\":{\"digest\":{\"sha256\":\"aa\"},\"version\":\"rustc 1.93.1\"}}"
}
