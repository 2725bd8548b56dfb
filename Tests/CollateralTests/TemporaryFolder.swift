// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// An empty folder that is removed when nobody holds it any more.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "cupel-collateral-\(UUID().uuidString)").path()
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
    }
}

/// What a fetcher said and how long it would have slept.
final class Log: Sendable {
    private let said = Mutex<[String]>([])
    private let slept = Mutex<[Duration]>([])

    var notes: [String] { said.withLock { $0 } }
    var delays: [Duration] { slept.withLock { $0 } }

    func note(_ sentence: String) { said.withLock { $0.append(sentence) } }
    func note(_ delay: Duration) { slept.withLock { $0.append(delay) } }
}
