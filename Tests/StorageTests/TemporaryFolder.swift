// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import NIOCore
import Storage

/// An empty folder that goes away with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("storage-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

/// Permissions as `chmod` takes them.
func mode(of path: String) throws -> Int? {
    (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
}

func id(_ number: UInt64) -> JobID { JobID(high: 0, low: number) }

func job(_ number: UInt64) throws -> StoredJob {
    let source = GitSource(url: try GitURL("https://example.com/a/b.git"), ref: nil)
    return StoredJob(id: id(number), request: BuildRequest(nonce: try Nonce(hex: "00ff"), source: .git(source)))
}

extension EventLog {
    /// All published bytes.
    func allBytes() throws -> [UInt8] {
        var result: [UInt8] = []
        while true {
            let piece = try read(from: result.count, limit: 1 << 20)
            guard piece.readableBytes > 0 else { return result }
            result += piece.readableBytesView
        }
    }
}

func wireBytes(_ events: [BuildEvent]) -> [UInt8] { events.flatMap(\.wireBytes) }

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
