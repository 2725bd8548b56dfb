// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Measurements

/// Registers that do not follow from files: their values, or logs that they are replayed from.
struct GivenRegisters {
    /// By name, PCR0 and PCR1.
    private(set) var tpm: [String: [UInt8]] = [:]
    /// By name, RTMR0.
    private(set) var tdx: [String: [UInt8]] = [:]
    private var references: [ReferenceBoot] = []

    init(_ texts: [String], logs: [String]) throws {
        for path in logs {
            let bytes = try InputFile.read(path, limit: TCGEventLog.maximumSize)
            let reference = try MeasuredFiles.inWords(path) { try ReferenceBoot(try TCGEventLog(decoding: bytes)) }
            references.append(reference)
            for (name, value) in reference.registers { try add(name, value) }
        }
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let value = try? Hex.decode(parts[1]) else {
                throw CommandFailure("--register takes a name and a value: RTMR0=00ff…")
            }
            try add(parts[0], value)
        }
    }

    func reference(_ source: ReferenceBoot.Source) -> ReferenceBoot? { references.first { $0.source == source } }

    /// Throws where a register is of a platform that nothing is computed for: the user expects it to count.
    func check(used platforms: Set<Platform>) throws {
        for (platform, values) in [(Platform.vtpm, tpm), (.tdx, tdx)] where !platforms.contains(platform) {
            guard let name = values.keys.min() else { continue }
            throw CommandFailure("\(name) is given, and nothing is computed for '\(platform.rawValue)'")
        }
    }

    private mutating func add(_ name: String, _ value: [UInt8]) throws {
        let sizes = ["PCR0": 32, "PCR1": 32, "RTMR0": 48]
        guard let size = sizes[name], value.count == size else {
            throw CommandFailure(
                "'\(Console.plain(name))' is not PCR0 or PCR1 with 32 bytes, or RTMR0 with 48",
                hint: "all others are computed")
        }
        let isNew = size == 48 ? tdx.updateValue(value, forKey: name) : tpm.updateValue(value, forKey: name)
        guard isNew == nil else { throw CommandFailure("\(name) is given twice") }
    }
}
