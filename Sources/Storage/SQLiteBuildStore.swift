// SPDX-License-Identifier: Apache-2.0
public import Builds
import Foundation
import GRDB
import StrictJSON

/// Jobs in an SQLite database: write-ahead log, synced at each commit.
public final class SQLiteBuildStore: BuildStore {
    /// Kept in the database's `user_version`; a newer one is refused.
    static let schemaVersion = 1

    private let database: DatabasePool

    /// Opens the database at `path`, or makes it; only its owner may read it. Throws `newerVersion` where a newer
    /// release wrote it, `corrupt` where it is no database of ours.
    public init(path: String) throws(StorageError) {
        // SQLite gives its other files the permissions of this one.
        try DurableFile.makeEmpty(path)
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(10)
        do {
            database = try DatabasePool(path: path, configuration: configuration)
            // After the pool is open, not before: opening it sets NORMAL, with which a commit is not synced.
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try database.write(Self.prepareSchema)
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corrupt, "the database \(path) could not be opened: \(error)")
        }
    }

    private static func prepareSchema(_ database: Database) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= schemaVersion else {
            throw StorageError(
                .newerVersion,
                "the database has version \(version), this release knows \(schemaVersion): use the newer release")
        }
        guard version == 0 else { return }
        try database.execute(
            sql: """
                CREATE TABLE job (
                    number INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    request TEXT NOT NULL,
                    state TEXT NOT NULL,
                    attempt INTEGER NOT NULL,
                    created_at TEXT NOT NULL,
                    error_type TEXT,
                    error TEXT
                );
                CREATE INDEX job_state ON job (state, number);
                PRAGMA user_version = \(schemaVersion);
                """)
    }

    public func accept(_ job: StoredJob) async throws(StorageError) {
        let request = String(decoding: job.request.storedJSON.canonicalBytes, as: UTF8.self)
        try await write { database in
            guard try Self.fetch(job.id, in: database) == nil else {
                throw StorageError(.corrupt, "the job \(job.id) is there already")
            }
            try database.cachedStatement(
                sql: "INSERT INTO job (id, request, state, attempt, created_at) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [job.id.text, request, job.state.rawValue, job.attempt, job.createdAt])
        }
    }

    public func job(_ id: JobID) async throws(StorageError) -> StoredJob? {
        try await read { database in try Self.fetch(id, in: database) }
    }

    public func unfinished() async throws(StorageError) -> [StoredJob] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM job WHERE state IN ('queued', 'running') ORDER BY number"
            ).map(Self.job)
        }
    }

    public func allJobs() async throws(StorageError) -> Set<JobID> {
        try await read { database in
            var ids: Set<JobID> = []
            for text in try String.fetchAll(database, sql: "SELECT id FROM job") {
                guard let id = JobID(text) else { throw Self.corruptRow(text) }
                ids.insert(id)
            }
            return ids
        }
    }

    public func markRunning(_ id: JobID) async throws(StorageError) -> Int {
        try await change(id) { $0.beginAttempt() }.attempt
    }

    public func requeue(_ id: JobID) async throws(StorageError) { _ = try await change(id) { $0.returnToQueue() } }

    public func finish(_ id: JobID, _ failure: BuildFailure?) async throws(StorageError) {
        _ = try await change(id, failure: failure) { $0.end(failure) }
    }

    private func change(
        _ id: JobID, failure: BuildFailure? = nil, _ edit: @escaping @Sendable (inout StoredJob) -> Void
    ) async throws(StorageError) -> StoredJob {
        try await write { database in
            guard var job = try Self.fetch(id, in: database) else {
                throw StorageError(.unknownJob, "there is no job \(id)")
            }
            edit(&job)
            try database.execute(
                sql: "UPDATE job SET state = ?, attempt = ?, error_type = ?, error = ? WHERE id = ?",
                arguments: [job.state.rawValue, job.attempt, failure?.kind.rawValue, failure?.message, id.text])
            return job
        }
    }

    private static func fetch(_ id: JobID, in database: Database) throws -> StoredJob? {
        try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM job WHERE id = ?"), arguments: [id.text]
        ).map(job)
    }

    private static func job(_ row: Row) throws -> StoredJob {
        // GRDB's typed columns trap on a value of another type; these do not.
        let text = String.fromDatabaseValue(row["id"]) ?? "?"
        guard let id = JobID(text), let state = String.fromDatabaseValue(row["state"]).flatMap(StoredJob.State.init),
            let attempt = Int.fromDatabaseValue(row["attempt"]), attempt >= 0,
            let createdAt = String.fromDatabaseValue(row["created_at"]),
            let stored = String.fromDatabaseValue(row["request"]),
            let json = try? JSONValue(parsing: Array(stored.utf8)), let request = BuildRequest(storedJSON: json)
        else { throw corruptRow(text) }
        return StoredJob(id: id, request: request, state: state, attempt: attempt, createdAt: createdAt)
    }

    private static func corruptRow(_ id: String) -> StorageError {
        StorageError(.corrupt, "the row of job \(id) is not what this release writes: restore the database")
    }

    private func write<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(StorageError) -> Result {
        do { return try await database.write(body) } catch { throw Self.translate(error) }
    }

    private func read<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(StorageError) -> Result {
        do { return try await database.read(body) } catch { throw Self.translate(error) }
    }

    private static func translate(_ error: any Error) -> StorageError {
        error as? StorageError ?? StorageError(.inputOutput, "the database refused: \(error)")
    }
}
