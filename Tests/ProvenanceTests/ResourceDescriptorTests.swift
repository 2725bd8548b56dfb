// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

@Suite struct ResourceDescriptorTests {
    private static let hex = Samples.digest("x").hex

    @Test func everyFieldComesBackSpelledAsInToto() throws {
        let whole = ResourceDescriptor(
            name: "n", uri: "u", digest: ["sha256": Self.hex, "cupelTree": "00"], mediaType: "m",
            downloadLocation: "d", annotations: ["a": [1]])
        let text = """
            {"annotations":{"a":[1]},"digest":{"cupelTree":"00","sha256":"\(Self.hex)"},"downloadLocation":"d",\
            "mediaType":"m","name":"n","uri":"u"}
            """
        #expect(String(decoding: whole.json.canonicalBytes, as: UTF8.self) == text)
        #expect(try ResourceDescriptor(json: whole.json) == whole)
        #expect(ResourceDescriptor().json == [:])
        #expect(try ResourceDescriptor(json: [:]) == ResourceDescriptor())
    }

    @Test(
        arguments: [
            ("no object", []),
            ("an unknown field", ["content": "AA=="]),
            ("a name that is a number", ["name": 1]),
            ("a URI that is null", ["uri": .null]),
            ("a digest that is no object", ["digest": "00"]),
            ("no digest in the set", ["digest": [:]]),
            ("upper case", ["digest": ["sha256": .string(hex.uppercased())]]),
            ("base64", ["digest": ["sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]]),
            ("a short digest", ["digest": ["sha256": "00"]]),
            ("a git commit under the name of a SHA-256", ["digest": ["sha256": .string(Samples.commit)]]),
            ("a SHA-256 under the name of a SHA-512", ["digest": ["sha512": .string(hex)]]),
            ("a short commit", ["digest": ["gitCommit": "abcdef"]]),
            ("an empty digest", ["digest": ["other": ""]]),
            ("a digest that is a number", ["digest": ["sha256": 1]]),
            ("annotations that are no object", ["annotations": []]),
        ] as [(String, JSONValue)])
    func everythingElseIsRefused(name: String, json: JSONValue) {
        #expect(throws: MalformedBytes.self) { try ResourceDescriptor(json: json) }
    }
}
