// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Storage

/// The storage of a test: real files and event logs, jobs in memory or in a real database.
struct TestStorage: Sendable {
    let data: DataFolder
    let store: any BuildStore
    let logs: EventLogs

    /// `isDurable` for jobs that a second run over the folder finds again.
    init(_ folder: String, isDurable: Bool) throws {
        data = try DataFolder(path: folder)
        store = isDurable ? try SQLiteBuildStore(path: data.databasePath) : MemoryBuildStore()
        logs = EventLogs(folder: data, limit: 64 << 20)
    }
}

/// A folder of its own for one test, removed at its end.
final class TestFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("cupel-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
