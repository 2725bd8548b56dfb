// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Evidence of the platforms `tdx` and `gcp-tdx`, decoded and not yet believed.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `quote` | base64 | ``IntelQuote`` |
/// | `cc_eventlog` | base64, optional | ACPI's CCEL: ``TCGEventLog`` |
public struct TDXEvidence: Hashable, Sendable {
    public let quote: IntelQuote
    public let eventLog: TCGEventLog?

    public init(quote: IntelQuote, eventLog: TCGEventLog? = nil) {
        self.quote = quote
        self.eventLog = eventLog
    }

    /// Throws at unknown fields, and where a part does not decode.
    public init(_ json: JSONValue) throws(MalformedBytes) {
        let fields = try EvidenceFields(json, format: "TDX evidence", known: ["quote", "cc_eventlog"])
        quote = try IntelQuote(decoding: try fields.base64("quote"))
        guard let bytes = try fields.optionalBase64("cc_eventlog") else {
            eventLog = nil
            return
        }
        eventLog = try TCGEventLog(decoding: bytes)
    }
}
