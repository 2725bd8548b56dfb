// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Foundation
import StrictJSON
import TestVectors
import Testing

/// The published vectors of TDX, and of the collateral that goes with them.
enum TDXVectors {
    static func quote(_ name: String) throws -> IntelQuote {
        try IntelQuote(decoding: try SharedVectors.bytes("tdx/\(name).bin"))
    }

    static func collateral(_ name: String) throws -> IntelCollateral {
        try IntelCollateral(parsing: try SharedVectors.bytes("intel-collateral/\(name).json"))
    }
}

extension SharedVector {
    /// Seconds since 1970; `nil` where the row does not say.
    var now: Int64? {
        guard let text = json["args"]?["now"]?.stringValue else { return nil }
        return Self.time(text)
    }

    /// "2026-03-17T10:00:00+00:00".
    static func time(_ text: String) -> Int64? {
        CivilTime(rfc3339: text.replacing("+00:00", with: "Z"))?.secondsSince1970
    }
}

extension AppraisalResult {
    /// The codes of why it was not accepted, each once; empty where it was.
    var codeNames: [String] {
        switch verdict {
        case .accepted: []
        case .rejected(let first, let more): Set(([first] + more).map(\.code.rawValue)).sorted()
        case .cannotCheck(let obstacle): [obstacle.code.rawValue]
        }
    }
}

extension VerifiedIntelCollateral.Outcome {
    var codeNames: [String] {
        switch self {
        case .verified: []
        case .refused(let findings): Set(findings.map(\.code.rawValue)).sorted()
        }
    }
}
