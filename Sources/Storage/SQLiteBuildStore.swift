// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation
import GRDB

/// Jobs in an SQLite database: write-ahead log, synced at each commit. Changes that are asked for while a commit goes
/// on share the next one.
public final class SQLiteBuildStore: BuildStore {
    /// Changes that share one commit at most.
    private static let commitLimit = 512
    /// Bytes up to which the whole database is checked when it is opened: a fraction of a second.
    private static let checkedSize = 64 << 20

    typealias Edit = @Sendable (Database) throws -> StoredJob?

    let database: DatabasePool
    private let edits: Batches<Edit, StoredJob?>

    /// Opens the database at `path`, or makes it; only its owner may read it. Throws `newerVersion` where a newer
    /// release wrote it, `corrupt` where it is damaged as a whole or no database of ours.
    public init(path: String) throws(StorageError) {
        // SQLite gives its other files the permissions of this one.
        try DurableFile.makeEmpty(path)
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(10)
        do {
            let database = try DatabasePool(path: path, configuration: configuration)
            // After the pool is open, not before: opening it sets NORMAL, with which a commit is not synced.
            try database.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
            }
            try database.write { database in
                try Self.check(database)
                try DatabaseSchema.prepare(database)
            }
            self.database = database
            edits = Batches(limit: Self.commitLimit) { await Self.commit($0, to: database) }
        } catch let error as StorageError {
            throw error
        } catch {
            throw Self.damaged(path, "\(error)")
        }
    }

    /// Damage of the whole file is better found before jobs are taken than in the middle of one.
    private static func check(_ database: Database) throws {
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
        guard pages * pageSize <= checkedSize else { return }
        let findings = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
        guard findings == ["ok"] else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: findings.first) }
    }

    public func accept(_ job: StoredJob) async throws(StorageError) {
        _ = try await edits.add { database in
            let last = try Int64.fetchOne(database.cachedStatement(sql: "SELECT MAX(number) FROM job")) ?? 0
            let values = JobRow.values(of: job, number: last + 1)
            try database.cachedStatement(sql: Self.insertion).execute(
                arguments: StatementArguments(values + [JobRow.checksum(of: values).databaseValue]))
            guard database.changesCount == 1 else {
                throw StorageError(.corrupt, "the job \(job.id) or its idempotency key is there already")
            }
            return job
        }
    }

    private static let insertion = """
        INSERT OR IGNORE INTO job (\(JobRow.selection))
        VALUES (\(Array(repeating: "?", count: JobRow.columns.count + 1).joined(separator: ", ")))
        """

    public func job(_ id: JobID) async throws(StorageError) -> StoredJob? {
        try await find("id", id.text)
    }

    public func job(withKey key: String) async throws(StorageError) -> StoredJob? {
        try await find("idempotency_key", key)
    }

    public func unfinished() async throws(StorageError) -> [StoredJob] {
        try await select("state IN ('queued', 'running') ORDER BY number", [])
    }

    public func finished(before time: String, limit: Int) async throws(StorageError) -> [StoredJob] {
        try await select("finished_at < ? ORDER BY finished_at, number LIMIT ?", [time, limit])
    }

    public func finishedSize() async throws(StorageError) -> Int64 {
        try await read { database in
            let sum =
                "SELECT sum(coalesce(log_size, 0) + coalesce(result_size, 0)) FROM job WHERE finished_at IS NOT NULL"
            return try Int64.fetchOne(database, sql: sum) ?? 0
        }
    }

    public func allJobs() async throws(StorageError) -> Set<JobID> {
        try await read { database in
            var ids: Set<JobID> = []
            for text in try String.fetchAll(database, sql: "SELECT id FROM job") {
                guard let id = JobID(text) else {
                    throw StorageError(.corrupt, "the record of job \(text) is damaged: restart the server")
                }
                ids.insert(id)
            }
            return ids
        }
    }

    public func markRunning(_ id: JobID) async throws(StorageError) -> Int {
        try await change(id) { $0.beginAttempt() }?.attempt ?? 0
    }

    public func requeue(_ id: JobID) async throws(StorageError) { _ = try await change(id) { $0.returnToQueue() } }

    public func finish(_ id: JobID, _ failure: BuildFailure?, _ files: FinishedFiles?) async throws(StorageError) {
        _ = try await change(id) { $0.end(failure, files) }
    }

    public func remove(_ id: JobID) async throws(StorageError) {
        _ = try await edits.add { database in
            let (number, job) = try Self.row(id, in: database)
            guard !job.isUnfinished else { throw StorageError(.unfinished, "the job \(id) has not ended") }
            try database.execute(sql: "DELETE FROM job WHERE number = ?", arguments: [number])
            return nil
        }
    }

    private func change(
        _ id: JobID, _ edit: @escaping @Sendable (inout StoredJob) -> Void
    ) async throws(StorageError) -> StoredJob? {
        try await edits.add { database in
            var (number, job) = try Self.row(id, in: database)
            edit(&job)
            let values = JobRow.values(of: job, number: number)
            try database.cachedStatement(sql: Self.update).execute(
                arguments: StatementArguments(
                    values + [JobRow.checksum(of: values).databaseValue, number.databaseValue]))
            return job
        }
    }

    private static let update = """
        UPDATE job SET \((JobRow.columns + ["checksum"]).map { "\($0) = ?" }.joined(separator: ", ")) WHERE number = ?
        """

    /// Has `edit` done with the next commit.
    func edit(_ edit: @escaping Edit) async throws(StorageError) { _ = try await edits.add(edit) }

    /// An edit that throws a ``StorageError`` has changed nothing, or what it changed is meant to stay; after any other
    /// error nothing of all edits is kept.
    private static func commit(_ edits: [Edit], to database: DatabasePool) async -> [Batches<Edit, StoredJob?>.Answer] {
        do {
            return try await database.write { database in
                try edits.map { edit in
                    do { return .success(try edit(database)) } catch let error as StorageError {
                        return .failure(error)
                    }
                }
            }
        } catch {
            let error = translate(error)
            return edits.map { _ in .failure(error) }
        }
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(StorageError) -> Result {
        do { return try await database.read(body) } catch { throw Self.translate(error) }
    }

    private static func translate(_ error: any Error) -> StorageError {
        if let error = error as? StorageError { return error }
        if let error = error as? DatabaseError, [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            return damaged("cupel.sqlite", "\(error)")
        }
        return StorageError(.inputOutput, "the database refused: \(error)")
    }

    private static func damaged(_ path: String, _ found: String) -> StorageError {
        StorageError(
            .corrupt,
            "the database \(path) is damaged or none of Cupel's: keep a copy of it, then restore it from a backup, or "
                + "recover it by `sqlite3 \(path) .recover` (\(found))")
    }
}
