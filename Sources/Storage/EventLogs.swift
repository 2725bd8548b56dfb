// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation
import Synchronization

/// The event logs of a service. A log that somebody holds is the same for all; a few others stay open for the next
/// reader, so that neither waiting nor finished jobs need an open file each.
public final class EventLogs: Sendable {
    private struct State {
        var logs = OpenLogs()
        /// Finished logs that are being read.
        var opening: [JobID: Task<EventLog, any Error>] = [:]
    }

    private let folder: DataFolder
    private let limit: Int64
    private let state = Mutex(State())

    /// - Parameter limit: bytes of one log.
    public init(folder: DataFolder, limit: Int64) {
        self.folder = folder
        self.limit = limit
    }

    /// Makes a job's folder with its source and a log with its first event. Nothing is synced: the job's record is what
    /// promises the job, and recovery makes all of this again.
    ///
    /// - Parameter source: the received upload. It stays where it is until ``DataFolder/dropIncoming(_:)``, and gets its
    ///   name in the job's folder as well.
    public func create(_ id: JobID, source: String?, position: Int) throws(StorageError) -> EventLog {
        try DurableFile.makeFolder(folder.folderPath(id), mode: 0o700)
        if let source { try DurableFile.link(source, as: folder.sourcePath(id)) }
        let log = try EventLog(path: folder.eventsPath(id), limit: limit)
        try Self.begin(log, position: position)
        state.withLock { $0.logs.keep(log, id) }
        return log
    }

    /// Drops the log of a job that is gone; what it has on disk is the data folder's to remove.
    public func forget(_ id: JobID) { state.withLock { $0.logs.drop(id) } }

    /// The log of a job that is known to exist. Throws `corrupt` where it is not there.
    ///
    /// - Parameter record: how the log was when its job ended. One that differs is set aside: `damaged`.
    public func log(_ id: JobID, expecting record: FileRecord? = nil) async throws(StorageError) -> EventLog {
        guard let record else { return try openLog(id) }
        let opening: Task<EventLog, any Error>
        switch find(id, expecting: record) {
        case .open(let log): return log
        case .opening(let task): opening = task
        }
        let result = await opening.result
        return try state.withLock { (state) throws(StorageError) in
            if state.opening[id] == opening { state.opening[id] = nil }
            switch result {
            case .success(let log):
                let log = state.logs[id] ?? log
                state.logs.keep(log, id)
                return log
            case .failure(let error):
                throw error as? StorageError ?? StorageError(.inputOutput, "the event log of \(id) could not be opened")
            }
        }
    }

    private enum Found {
        case open(EventLog)
        case opening(Task<EventLog, any Error>)
    }

    /// The open log, or its opening, which is begun where there is none: decided at one time, so that no finished log is
    /// ever opened without its record.
    private func find(_ id: JobID, expecting record: FileRecord) -> Found {
        state.withLock { state in
            if let log = state.logs[id] {
                state.logs.keep(log, id)
                return .open(log)
            }
            let task = state.opening[id] ?? read(id, expecting: record)
            state.opening[id] = task
            return .opening(task)
        }
    }

    /// The log of a job that waits or runs; short where nobody holds it. Throws `corrupt` where it is not there.
    ///
    /// Opening cuts a torn end off. That is done under the lock, so that nobody can be writing to the log meanwhile.
    public func openLog(_ id: JobID) throws(StorageError) -> EventLog {
        try state.withLock { (state) throws(StorageError) in
            let log = if let log = state.logs[id] { log } else { try Self.open(id, folder, limit: limit) }
            state.logs.keep(log, id)
            return log
        }
    }

    /// The log of an unfinished job after a stop of any kind. What a crash took of its folder before it was on the disk
    /// is made again, as it was: nobody can have seen more than it had then.
    func restore(_ job: StoredJob) throws(StorageError) -> EventLog {
        guard let position = job.position else { return try openLog(job.id) }
        try DurableFile.makeFolder(folder.folderPath(job.id), mode: 0o700)
        let log = try EventLog(path: folder.eventsPath(job.id), limit: limit)
        if log.state.count == 0 { try Self.begin(log, position: position) }
        state.withLock { $0.logs.keep(log, job.id) }
        return log
    }

    /// Finished logs may be large: they are read beside, once for all who ask.
    private func read(_ id: JobID, expecting record: FileRecord) -> Task<EventLog, any Error> {
        Task { [folder, limit] in
            try await DiskThreads.run { () throws(StorageError) in
                try folder.checkLog(id, against: record)
                return try Self.open(id, folder, limit: limit)
            }
        }
    }

    private static func open(_ id: JobID, _ folder: DataFolder, limit: Int64) throws(StorageError) -> EventLog {
        let path = folder.eventsPath(id)
        guard access(path, F_OK) == 0 || errno != ENOENT else {
            throw StorageError(.corrupt, "the event log \(path) is missing: restore it")
        }
        return try EventLog(path: path, limit: limit)
    }

    private static func begin(_ log: EventLog, position: Int) throws(StorageError) {
        do {
            try log.append([.queued(position: position)])
        } catch {
            throw StorageError(.inputOutput, error.message)
        }
    }
}
