// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Verification

extension FuzzTarget {
    /// What a verifier writes, or is handed by those whose releases it trusts.
    static let policies = [
        FuzzTarget("policy", { bytes throws(MalformedBytes) in try policy(bytes) }) { _, file in
            let files = Dictionary(file.references.map { ($0, [UInt8]()) }) { first, _ in first }
            _ = try? file.policy(name: "policy.yaml", files: files, present: 1_750_000_000)
        },
        FuzzTarget("measurement-list", { bytes throws(MalformedBytes) in try list(bytes) }) { _, list in
            expect(list.images.allSatisfy { !$0.registers.isEmpty }, "an image without registers")
        },
        FuzzTarget("dsse-envelope", { bytes throws(MalformedBytes) in try DSSEEnvelope(parsing: bytes) }) { _, _ in },
    ]

    private static func list(_ bytes: [UInt8]) throws(MalformedBytes) -> MeasurementList {
        do {
            return bytes.first == UInt8(ascii: "{")
                ? try MeasurementList(payload: bytes) : try MeasurementList(text: bytes, issued: "2026-01-01T00:00:00Z")
        } catch {
            throw MalformedBytes(format: "measurement list", offset: 0, reason: error.reason)
        }
    }

    private static func policy(_ bytes: [UInt8]) throws(MalformedBytes) -> PolicyFile {
        do {
            return try PolicyFile(parsing: bytes)
        } catch {
            throw MalformedBytes(format: "policy", offset: 0, reason: error.reason)
        }
    }
}
