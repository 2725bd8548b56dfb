// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import Foundation
import StrictJSON
import Testing

@Suite struct CollateralCacheTests {
    @Test func withoutNetworkTheCacheIsEnough() async throws {
        let bench = try await Bench()
        _ = try await bench.fetch()
        try await bench.vendor.stop()
        #expect(try await bench.fetch { $0.isOffline = true }.amdCertificates == [Made.vcek()])
    }

    @Test func withoutNetworkWhatIsAbsentIsNamedWithItsURL() async throws {
        let bench = try await Bench()
        #expect(try await bench.code(.intel(Made.platform)) { $0.isOffline = true } == .offline)
        #expect(bench.vendor.targets.isEmpty)
        let message = try #require(bench.log.notes.last)
        #expect(message.contains("TDX on the platform 50806f000000"))
        #expect(message.contains(try bench.vendor.address + "/tdx/certification/v4/tcb?fmspc=50806f000000"))
    }

    @Test func whatHasExpiredIsFetchedAgainAndNotUsedWithoutNetwork() async throws {
        let bench = try await Bench()
        _ = try await bench.fetch()
        let later: @Sendable () -> Int64 = { Made.expiry + 1 }
        #expect(
            try await bench.code {
                $0.now = later
                $0.isOffline = true
            } == .offline)
        #expect(bench.log.notes.last?.contains("good until 2030-01-01T00:00:00Z") == true)
        _ = try await bench.fetch { $0.now = { Made.expiry } }
        #expect(bench.vendor.targets.count == 1)
        _ = try await bench.fetch { $0.now = later }
        #expect(bench.vendor.targets.count == 2)
    }

    @Test func aSetIsAsGoodAsItsShortestPart() async throws {
        var answers = MadeAnswers()
        answers.qeIdentity = MadeAnswers.signed(
            "enclaveIdentity", ["id": "TD_QE"], nextUpdate: "2026-02-01T00:00:00Z")
        let bench = try await Bench(answers)
        _ = try await bench.fetch(.intel(Made.platform))
        _ = try await bench.fetch(.intel(Made.platform)) { $0.now = { 1_771_000_000 } }
        #expect(bench.vendor.targets.count == 5)
        #expect(bench.vendor.targets.last == "/tdx/certification/v4/qe/identity")
    }

    private static let damages: [(name: String, damage: @Sendable ([UInt8]) -> [UInt8])] = [
        ("empty", { _ in [] }),
        ("cut off", { Array($0.dropLast()) }),
        ("not JSON", { _ in Array("nonsense".utf8) }),
        (
            "a byte changed",
            { bytes in
                var bytes = bytes
                bytes[bytes.count / 2] ^= 1
                return bytes
            }
        ),
        (
            "of another URL",
            { bytes in
                edited(bytes) { $0["url"] = "https://kdsintf.amd.com/other" }
            }
        ),
        ("another version", { bytes in edited(bytes) { $0["version"] = 2 } }),
        (
            "another body, with its digest",
            { bytes in
                edited(bytes) { $0["body"] = .string(Base64.encode(Made.vcek(tcb: SNPTCBVersion(0)))) }
            }
        ),
    ]

    /// The file with members changed and the digest made anew.
    private static func edited(_ bytes: [UInt8], _ change: (inout [String: JSONValue]) -> Void) -> [UInt8] {
        guard var members = (try? JSONValue(parsing: bytes))?.objectValue else { return [] }
        members["sha256"] = nil
        change(&members)
        members["sha256"] = .string(Digest256(of: JSONValue.object(members).canonicalBytes).hex)
        return JSONValue.object(members).canonicalBytes
    }

    @Test(arguments: damages.indices)
    func aFileThatIsNotWholeIsAsGoodAsNone(row: Int) async throws {
        let bench = try await Bench()
        _ = try await bench.fetch()
        let name = try #require(bench.folder.names(in: "cache").first)
        let path = "\(bench.folder.path)/cache/\(name)"
        let whole = Array(try Data(contentsOf: URL(filePath: path)))
        try bench.folder.write(Self.damages[row].damage(whole), to: "cache/\(name)")
        #expect(try await bench.code { $0.isOffline = true } == .offline, "\(Self.damages[row].name)")
        #expect(try await bench.fetch().amdCertificates == [Made.vcek()])
        #expect(bench.vendor.targets.count == 2)
        #expect(Array(try Data(contentsOf: URL(filePath: path))) == whole)
    }

    @Test func aCacheThatCannotBeWrittenIsAWarning() async throws {
        let bench = try await Bench()
        try bench.folder.write([], to: "file")
        let place = bench.folder.path + "/file/cache"
        #expect(
            try await bench.fetch { $0.cache = CollateralCache(folder: place) }.amdCertificates == [Made.vcek()])
        #expect(bench.log.notes.contains { $0.contains("not kept") })
    }

    @Test func withoutACacheEverythingIsAskedForAgain() async throws {
        let bench = try await Bench()
        _ = try await bench.fetch { $0.cache = nil }
        _ = try await bench.fetch { $0.cache = nil }
        #expect(bench.vendor.targets.count == 2)
    }

    @Test func manyAtOnceLeaveWholeFilesAndNothingElse() async throws {
        let bench = try await Bench()
        try await withThrowingTaskGroup(of: CollateralSet.self) { group in
            for _ in 0..<8 { group.addTask { try await bench.fetch(.intel(Made.platform)) } }
            var sets: Set<CollateralSet> = []
            for try await set in group { sets.insert(set) }
            #expect(sets.count == 1)
        }
        let names = bench.folder.names(in: "cache")
        #expect(names.count == 4)
        #expect(names.allSatisfy { $0.hasSuffix(".json") })
        #expect(try await bench.fetch(.intel(Made.platform)) { $0.isOffline = true }.intel.count == 1)
    }
}
