// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON

extension FuzzTarget {
    /// What everything else stands on.
    static let codings = [
        FuzzTarget("strict-json", { bytes throws(MalformedBytes) in try JSONValue(parsing: bytes) }) { _, value in
            expectFixedPoint(value)
        },
        FuzzTarget("base64", { bytes throws(MalformedBytes) in try Base64.decode(text(bytes)) }) { bytes, value in
            expect(unpadded(Base64.encode(value)) == unpadded(text(bytes)), "two texts decode to the same bytes")
        },
        FuzzTarget("base64url", { bytes throws(MalformedBytes) in try Base64.decode(text(bytes), alphabet: .url) }) {
            bytes, value in
            let encoded = Base64.encode(value, alphabet: .url)
            expect(unpadded(encoded) == unpadded(text(bytes)), "two texts decode to the same bytes")
        },
        FuzzTarget("hex", { bytes throws(MalformedBytes) in try Hex.decode(text(bytes)) }) { bytes, value in
            expect(Hex.encode(value) == text(bytes).lowercased(), "encoding gives another text")
        },
        FuzzTarget("statement", { bytes throws(MalformedBytes) in try Statement(parsing: bytes) }) { _, value in
            let again = try? Statement(parsing: value.canonicalBytes)
            expect(again == value, "the canonical form reads differently")
        },
    ]

    /// The canonical form reads as the same value, and is its own canonical form.
    static func expectFixedPoint(_ value: JSONValue) {
        let canonical = value.canonicalBytes
        guard let again = try? JSONValue(parsing: canonical) else {
            return expect(false, "the canonical form does not parse")
        }
        expect(again == value, "the canonical form reads differently")
        expect(again.canonicalBytes == canonical, "the canonical form is not canonical")
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    private static func unpadded(_ text: String) -> Substring { text.prefix { $0 != "=" } }
}
