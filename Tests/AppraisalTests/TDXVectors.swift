// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Foundation
import StrictJSON
import Testing

/// The published vectors of TDX: in the folder that CUPEL_SHARED names, or in `shared` beside the package. Tests that
/// need them are skipped, and say so, where they are absent.
enum TDXVectors {
    static let folder: String? = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["CUPEL_SHARED"].map { URL(filePath: $0) }
            ?? package.deletingLastPathComponent().appending(path: "shared")
        let vectors = shared.appending(path: "vectors").path()
        return FileManager.default.fileExists(atPath: vectors) ? vectors : nil
    }()

    static var arePresent: Bool { folder != nil }

    static func bytes(_ path: String) throws -> [UInt8] {
        let folder = try #require(folder)
        return Array(try Data(contentsOf: URL(filePath: "\(folder)/\(path)")))
    }

    static func quote(_ name: String) throws -> IntelQuote {
        try IntelQuote(decoding: try bytes("tdx/\(name).bin"))
    }

    static func collateral(_ name: String) throws -> IntelCollateral {
        try IntelCollateral(parsing: try bytes("intel-collateral/\(name).json"))
    }

    /// The rows of `tdx` or `intel-collateral`; none where the vectors are absent.
    static func all(_ group: String) -> [TDXVector] {
        guard let bytes = try? bytes("\(group)/INDEX.json"), let index = try? JSONValue(parsing: bytes) else {
            return []
        }
        return (index["vectors"]?.arrayValue ?? []).map { TDXVector(group: group, json: $0) }
    }
}

/// One row of an INDEX.json.
struct TDXVector: Sendable, CustomTestStringConvertible {
    let group: String
    let json: JSONValue

    var id: String { json["id"]?.stringValue ?? "" }
    var testDescription: String { id }
    var isInvalid: Bool { json["expect"]?.stringValue == "invalid" }
    var expected: JSONValue { json["expected"] ?? .null }

    /// Seconds since 1970; `nil` where the row does not say.
    var now: Int64? {
        guard let text = json["args"]?["now"]?.stringValue else { return nil }
        return Self.time(text)
    }

    func has(_ role: String) -> Bool { json["files"]?[role] != nil }

    func bytes(_ role: String) throws -> [UInt8] {
        let name = try #require(json["files"]?[role]?.stringValue)
        return try TDXVectors.bytes(name.contains("/") ? name : "\(group)/\(name)")
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
