// SPDX-License-Identifier: Apache-2.0
import Builds
import StrictJSON
import Testing

@Suite struct BuildEventTests {
    private static let events: [(BuildEvent, String)] = [
        (.queued(position: 3), #"{"type":"queued","position":3}"#),
        (.machine("m"), #"{"type":"vm","msg":"m"}"#),
        (.initialize("Verifying build inputs"), #"{"type":"init","msg":"Verifying build inputs"}"#),
        (.detect("cargo"), #"{"type":"detect","msg":"cargo"}"#),
        (.build("   Compiling serde v1.0.0"), #"{"type":"build","msg":"   Compiling serde v1.0.0"}"#),
        (.build("\"\\\n\u{1}é"), #"{"type":"build","msg":"\"\\\n\u0001é"}"#),
        (.provenance("Generating provenance"), #"{"type":"provenance","msg":"Generating provenance"}"#),
        (.attest("Generating attestation"), #"{"type":"attest","msg":"Generating attestation"}"#),
        (.complete(nil), #"{"type":"complete","result":{"status":"ok"}}"#),
        (
            .complete(BuildFailure(.build, "it \"failed\"")),
            #"{"type":"complete","result":{"status":"failed","error":"it \"failed\"","error_type":"BuildError"}}"#
        ),
    ]

    @Test(arguments: events)
    func anEventIsOneLineAndABlankOne(event: BuildEvent, text: String) throws {
        #expect(String(decoding: event.wireBytes, as: UTF8.self) == "data: \(text)\n\n")
        #expect(try BuildEvent(json: JSONValue(parsing: Array(text.utf8))) == event)
        #expect(event.isComplete == text.contains("complete"))
    }

    /// Names of files reach messages, and a name may be anything.
    @Test func everyEventCanBeReadAgain() throws {
        let name = "a" + String(repeating: "\u{301}", count: 1000)
        for event in [.build(name), .initialize(name), .complete(BuildFailure(.source, name))] as [BuildEvent] {
            let json = try JSONValue(parsing: event.wireBytes.dropFirst(6).dropLast(2).map { $0 })
            #expect(BuildEvent(json: json)?.isComplete == event.isComplete)
        }
    }

    @Test(arguments: BuildFailure.Kind.allCases)
    func everyKindOfFailureComesBack(kind: BuildFailure.Kind) throws {
        let event = BuildEvent.complete(BuildFailure(kind, "m"))
        let json = Array(event.wireBytes.dropFirst(6).dropLast(2))
        #expect(try BuildEvent(json: JSONValue(parsing: json)) == event)
        #expect(kind.rawValue.hasSuffix("Error"))
    }

    @Test(arguments: [
        "{}", "[]", "null", #"{"type":"other","msg":"m"}"#, #"{"type":"build"}"#, #"{"type":"build","msg":1}"#,
        #"{"type":"queued"}"#, #"{"type":"queued","position":-1}"#, #"{"type":"queued","position":1.5}"#,
        #"{"type":"queued","position":"1"}"#, #"{"type":"complete"}"#, #"{"type":"complete","result":{}}"#,
        #"{"type":"complete","result":{"status":"maybe"}}"#, #"{"type":1,"msg":"m"}"#,
    ])
    func whatIsNoEventIsNotRead(text: String) throws {
        #expect(try BuildEvent(json: JSONValue(parsing: Array(text.utf8))) == nil)
    }

    @Test func aFailureOfAnUnknownKindIsStillAFailure() throws {
        let text = #"{"type":"complete","result":{"status":"failed","error_type":"NewError"}}"#
        let event = try BuildEvent(json: JSONValue(parsing: Array(text.utf8)))
        #expect(event == .complete(BuildFailure(.internal, "the server gave no reason")))
    }
}
