// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import Testing

@Suite struct EvidenceEnvelopeTests {
    @Test func anEnvelopeComesBack() throws {
        let text = #"{"evidence":{"a":[1]},"platform":"p"}"#
        let envelope = try EvidenceEnvelope(parsing: Array(text.utf8))
        #expect(envelope == EvidenceEnvelope(platform: "p", evidence: ["a": [1]]))
        #expect(String(decoding: envelope.canonicalBytes, as: UTF8.self) == text)
        #expect(
            try EvidenceEnvelope(parsing: Array("{ \"platform\": \"p\",\n \"evidence\": {} }".utf8)).platform == "p")
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"platform":"p"}"#, #"{"evidence":{}}"#, #"{"platform":1,"evidence":{}}"#,
        #"{"platform":"p","evidence":[]}"#, #"{"platform":"p","evidence":"e"}"#,
        #"{"platform":"p","evidence":{},"more":1}"#, #"{"platform":"p","platform":"q","evidence":{}}"#,
        #"{"platform":"p","evidence":{}}x"#,
    ])
    func everythingElseIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try EvidenceEnvelope(parsing: Array(text.utf8)) }
    }
}
