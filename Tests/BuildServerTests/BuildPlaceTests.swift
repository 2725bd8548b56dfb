// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Testing

/// What `isolation` means on a machine, and what contradicts it.
@Suite struct BuildPlaceTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let settings: [String: String]
        /// What vouches for a confidential machine; `nil` on another.
        let hardware: String?
        let place: BuildPlace?
        let words: String

        var testDescription: String { "\(settings) on \(hardware ?? "an ordinary machine")" }

        init(_ settings: [String: String], on hardware: String? = nil, _ place: BuildPlace?, _ words: String) {
            (self.settings, self.hardware, self.place, self.words) = (settings, hardware, place, words)
        }
    }

    private static let image = ["machine.image": "/images/one"]
    private static let unconfined = ["sandbox": "false"]

    private static func with(_ isolation: String, _ more: [String: String] = [:]) -> [String: String] {
        more.merging(["isolation": isolation]) { $1 }
    }

    static let rows: [Row] = [
        Row([:], .sandbox, "machine.image is not set"),
        Row([:], on: "snp", .here, "confidential machine (snp)"),
        Row(image, .machine, "machine.image is set"),
        Row(image, on: "tdx", .here, "confidential machine (tdx)"),
        Row(unconfined, .sandbox, "no confidential machine"),
        Row(unconfined, on: "snp", .here, "snp"),
        Row(image.merging(unconfined) { $1 }, nil, "--no-sandbox contradict"),
        // Whoever says that a key or a TPM vouches does not want the confidential hardware.
        Row(["attester": "software"], on: "snp", .sandbox, "no confidential machine"),
        Row(["attester": "vtpm"], on: "snp", .sandbox, "no confidential machine"),
        Row(with("here"), on: "az-snp", .here, "az-snp"),
        Row(with("here"), nil, "needs a confidential machine"),
        Row(with("here", image), nil, "needs a confidential machine"),
        Row(with("here", ["attester": "software"]), on: "snp", nil, "attester = software"),
        Row(with("here", ["attester": "vtpm"]), on: "snp", nil, "attester = vtpm"),
        Row(with("vm", image), .machine, "by name"),
        Row(with("vm", image), on: "snp", .machine, "by name"),
        Row(with("vm"), nil, "machine.image names none"),
        Row(with("vm"), on: "snp", nil, "machine.image names none"),
        Row(with("vm", image.merging(unconfined) { $1 }), nil, "--no-sandbox contradict"),
        Row(with("sandbox"), .sandbox, "by name"),
        Row(with("sandbox", image), on: "snp", .sandbox, "by name"),
        Row(with("sandbox", unconfined), .sandbox, "by name"),
    ]

    @Test(arguments: rows) func eachSettingMeansOnePlaceOrIsRefused(row: Row) throws {
        let configuration = try Configuration.load(overrides: row.settings)
        do {
            let choice = try BuildPlaceChoice(configuration) { () throws(ConfigurationError) in row.hardware }
            #expect(choice.place == row.place && choice.reason.contains(row.words), "\(choice)")
        } catch {
            #expect(row.place == nil && error.message.contains(row.words), "\(error)")
        }
    }

    @Test func hardwareThatCannotBeAskedIsNoReasonForSomethingWeaker() throws {
        let error = ConfigurationError("the hardware does not answer")
        for isolation in ["auto", "here"] {
            let configuration = try Configuration.load(overrides: ["isolation": isolation, "machine.image": "/i"])
            #expect(throws: error) {
                try BuildPlaceChoice(configuration) { () throws(ConfigurationError) in throw error }
            }
        }
    }

    @Test func theHardwareIsNotAskedWhereTheAnswerDoesNotMatter() throws {
        for isolation in ["sandbox", "vm"] {
            let configuration = try Configuration.load(overrides: ["isolation": isolation, "machine.image": "/i"])
            #expect(throws: Never.self) {
                try BuildPlaceChoice(configuration) { () throws(ConfigurationError) in
                    throw ConfigurationError("nobody asked")
                }
            }
        }
    }
}
