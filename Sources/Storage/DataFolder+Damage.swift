// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation

/// What is damaged is moved out of the way, never removed: it may be all that is left of a build.
extension DataFolder {
    var damagedPath: String { path + "/damaged" }
    private func damagedPath(_ id: JobID) -> String { "\(damagedPath)/\(id)" }

    /// Whether something of a job was set aside.
    public func hasDamage(_ id: JobID) -> Bool {
        [damagedPath(id), damagedPath(id) + ".events.sse", damagedPath(id) + ".result.tar.gz"].contains {
            (path: String) in
            access(path, F_OK) == 0
        }
    }

    /// Moves a job's whole folder aside, and returns where it is then. Throws `inputOutput` where it has none.
    func setAside(_ id: JobID) throws(StorageError) -> String {
        try move(folderPath(id), to: damagedPath(id))
    }

    /// Checks the event log of a job that has ended. Throws `damaged` where it is not as it was; it is set aside then.
    func checkLog(_ id: JobID, against record: FileRecord) throws(StorageError) {
        try check(eventsPath(id), against: record, aside: damagedPath(id) + ".events.sse", "the event log of job \(id)")
    }

    /// Checks the result of a job. Throws `damaged` where it is not as it was; it is set aside then.
    func checkResult(_ id: JobID, against record: FileRecord) throws(StorageError) {
        try check(resultPath(id), against: record, aside: damagedPath(id) + ".result.tar.gz", "the result of job \(id)")
    }

    private func check(
        _ path: String, against record: FileRecord, aside: String, _ name: String
    ) throws(StorageError) {
        let difference: String
        do throws(StorageError) {
            guard let found = try FileRecord(of: path).difference(from: record) else { return }
            difference = found
        } catch {
            guard error.code == .corrupt else { throw error }
            let place = access(aside, F_OK) == 0 ? "was set aside as \(aside)" : "is missing from its folder"
            throw StorageError(
                .damaged, "\(name) \(place): restore \(path) from a backup, or let the build be submitted again")
        }
        let place = try move(path, to: aside)
        throw StorageError(
            .damaged,
            "\(name) is damaged (\(difference)): it was set aside as \(place); restore \(path) from a backup, or let the "
                + "build be submitted again")
    }

    /// Returns the place that was free: `target`, or with `.2`, `.3`, … behind where that was set aside before.
    private func move(_ path: String, to target: String) throws(StorageError) -> String {
        try DurableFile.makeFolder(damagedPath, mode: 0o700)
        var place = target
        var number = 1
        while access(place, F_OK) == 0 {
            number += 1
            place = "\(target).\(number)"
        }
        try DurableFile.move(path, to: place)
        try DurableFile.syncFolder(of: path)
        return place
    }
}
