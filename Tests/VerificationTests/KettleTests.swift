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
        bundle.touched = { $0.remove("build.log") }
        return bundle
    }

    @Test func aBundleBoundByItsRawBytesVerifies() throws {
        let report = try Self.bundle { $0 }.verify(nonce: "abcd")
        #expect(report.exitCode == 0, "\(report.text(colour: false))")
        #expect(report.lines.contains { $0.name == "binding" && $0.compared.contains("SHA-256 of provenance.json,") })
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
        bundle.touched = { _ in }
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

    /// The platforms of Kettle's bundles are not appraised yet; everything else of them is read as their index says.
    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
    func publishedBundlesAreRead() throws {
        let index = try JSONValue(parsing: SharedVectors.bytes("kettle/INDEX.json"))
        let vectors = try #require(index["vectors"]?.arrayValue)
        #expect(vectors.count == 9)
        for vector in vectors {
            let id = vector["id"]?.stringValue ?? ""
            let provenance = try SharedVectors.bytes("kettle/" + #require(vector["files"]?["provenance"]?.stringValue))
            let compact = Digest256(of: CompactJSON.bytes(of: provenance)).hex
            #expect(vector["expected"]?["provenance_compact_sha256"]?.stringValue == compact, "\(id)")
            guard let path = vector["files"]?["evidence"]?.stringValue else { continue }
            let report = try Self.verify(provenance, SharedVectors.bytes("kettle/" + path))
            #expect(report.exitCode == 2, "\(id)")
            #expect(report.obstacles.map(\.code.rawValue) == ["evidence.unsupported-platform"], "\(id)")
        }
    }

    /// With an artifact for every subject.
    private static func verify(_ provenance: [UInt8], _ evidence: [UInt8]) throws -> VerificationReport {
        var files = [MadeBundle.file("provenance.json", provenance), MadeBundle.file("evidence.json", evidence)]
        for subject in try Statement(parsing: provenance).subjects {
            files.append(
                BundleFile(path: "artifacts/\(subject.name)", kind: .regular, size: 1, sha256: subject.sha256))
        }
        return try MadeBundle.verify(BundleContents(provenance: provenance, evidence: evidence, files: files))
    }
}
