// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation

/// The event logs of a service: those of unfinished jobs stay open, a few finished ones are kept for the next reader.
public actor EventLogs {
    /// Finished logs that stay open.
    static let finishedCapacity = 64

    private let folder: DataFolder
    private let limit: Int64
    private var open: [JobID: EventLog] = [:]
    /// Ids of open logs, the least recently used first.
    private var order: [JobID] = []

    /// - Parameter limit: bytes of one log.
    public init(folder: DataFolder, limit: Int64) {
        self.folder = folder
        self.limit = limit
    }

    /// Makes a job's folder with its source and an empty log; all of it is on disk when this returns.
    ///
    /// - Parameter source: the received upload, which is moved; its content must be synced.
    public func create(_ id: JobID, source: String?) throws(StorageError) -> EventLog {
        try DurableFile.makeFolder(folder.folderPath(id), mode: 0o700)
        if let source { try DurableFile.move(source, to: folder.sourcePath(id)) }
        let log = try EventLog(path: folder.eventsPath(id), limit: limit)
        try DurableFile.syncFolder(of: folder.eventsPath(id))
        try DurableFile.syncFolder(of: folder.folderPath(id))
        keep(log, id)
        return log
    }

    /// Drops the log of a job that could not be accepted; what it has on disk is the data folder's to remove.
    public func forget(_ id: JobID) {
        open[id] = nil
        order.removeAll { $0 == id }
    }

    /// The log of a job that is known to exist. Throws `corrupt` where it is not there.
    public func log(_ id: JobID) throws(StorageError) -> EventLog {
        if let log = open[id] {
            keep(log, id)
            return log
        }
        let path = folder.eventsPath(id)
        guard access(path, F_OK) == 0 || errno != ENOENT else {
            throw StorageError(.corrupt, "the event log \(path) is missing: restore it")
        }
        let log = try EventLog(path: path, limit: limit)
        keep(log, id)
        return log
    }

    private func keep(_ log: EventLog, _ id: JobID) {
        if order.last != id {
            order.removeAll { $0 == id }
            order.append(id)
        }
        open[id] = log
        guard order.count > Self.finishedCapacity else { return }
        let surplus = order.prefix(order.count - Self.finishedCapacity).filter { open[$0]?.outcome != nil }
        for id in surplus { open[id] = nil }
        order.removeAll { open[$0] == nil }
    }
}
