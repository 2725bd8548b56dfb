// SPDX-License-Identifier: Apache-2.0
import Builds
import GRDB

/// Reading of records, each checked. One that is damaged is moved to the table `damaged_job`.
extension SQLiteBuildStore {
    /// Checks all rows, also those that nobody asks for: a server that starts knows then which folders are whose.
    public func setAsideDamaged() async throws(StorageError) -> [DamagedJob] {
        let known = try await damaged().count
        try await edit { database in
            for damage in try Self.damagedRows("1", [], in: database) { try Self.setAside(damage, in: database) }
            return nil
        }
        // By their places, since a number may be what is damaged, or come again.
        return try await damaged().enumerated().map { place, job in
            DamagedJob(id: job.id, reason: job.reason, isNew: place >= known)
        }
    }

    /// All records that were set aside, in the order in which they were.
    private func damaged() async throws(StorageError) -> [(id: String, reason: String)] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT id, reason FROM damaged_job ORDER BY rowid").map { row in
                (String.fromDatabaseValue(row[0]) ?? "?", String.fromDatabaseValue(row[1]) ?? "?")
            }
        }
    }

    /// The job whose `column` is `value`; sets it aside and throws where it is damaged.
    func find(_ column: String, _ value: String) async throws(StorageError) -> StoredJob? {
        let found = try await select("\(column) = ?", [value]).first
        guard found == nil else { return found }
        let reason = try await read { database in try Self.damage(column, value, in: database) }
        if let reason { throw Self.damaged(value, reason) }
        return nil
    }

    /// Jobs by a condition of SQL. Damaged ones are set aside and left out.
    func select(_ condition: String, _ values: [any DatabaseValueConvertible & Sendable]) async throws(StorageError)
        -> [StoredJob]
    {
        let (jobs, hasDamage) = try await read { database in
            var jobs: [StoredJob] = []
            var hasDamage = false
            let rows = try Row.fetchCursor(
                database.cachedStatement(sql: "SELECT \(JobRow.selection) FROM job WHERE \(condition)"),
                arguments: StatementArguments(values))
            while let row = try rows.next() {
                do { jobs.append(try JobRow.job(row).job) } catch { hasDamage = true }
            }
            return (jobs, hasDamage)
        }
        if hasDamage {
            try await edit { database in
                for damage in try Self.damagedRows(condition, values, in: database) {
                    try Self.setAside(damage, in: database)
                }
                return nil
            }
        }
        return jobs
    }

    /// The row of a job that is to be changed.
    static func row(_ id: JobID, in database: Database) throws -> (number: Int64, job: StoredJob) {
        let row = try Row.fetchOne(
            database.cachedStatement(sql: "SELECT \(JobRow.selection) FROM job WHERE id = ?"), arguments: [id.text])
        guard let row else {
            if let reason = try damage("id", id.text, in: database) { throw damaged(id.text, reason) }
            throw StorageError(.unknownJob, "there is no job \(id)")
        }
        do {
            return try JobRow.job(row)
        } catch {
            try setAside(error, in: database)
            throw damaged(id.text, error.reason)
        }
    }

    private static func damagedRows(
        _ condition: String, _ values: [any DatabaseValueConvertible & Sendable], in database: Database
    ) throws -> [DamagedRow] {
        var damaged: [DamagedRow] = []
        let rows = try Row.fetchCursor(
            database, sql: "SELECT \(JobRow.selection) FROM job WHERE \(condition)",
            arguments: StatementArguments(values))
        while let row = try rows.next() {
            do { _ = try JobRow.job(row) } catch { damaged.append(error) }
        }
        return damaged
    }

    private static func setAside(_ damage: DamagedRow, in database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO damaged_job SELECT *, ?, ? FROM job WHERE number = ?;
                DELETE FROM job WHERE number = ?;
                """, arguments: [damage.reason, StoredJob.now, damage.number, damage.number])
    }

    /// Why the record with this value was set aside; `nil` where none was.
    private static func damage(_ column: String, _ value: String, in database: Database) throws -> String? {
        try String.fetchOne(
            database.cachedStatement(sql: "SELECT reason FROM damaged_job WHERE \(column) = ?"), arguments: [value])
    }

    private static func damaged(_ name: String, _ reason: String) -> StorageError {
        StorageError(
            .damaged,
            "the record of job \(name) is damaged (\(reason)): it was set aside in the table damaged_job; restore "
                + "cupel.sqlite from a backup, or let the build be submitted again")
    }
}
