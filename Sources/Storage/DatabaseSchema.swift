// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB

/// The tables of the database, and how those of earlier releases become these.
///
///     job          one row for each job, in the order of acceptance; `checksum` is over all other fields (JobRow)
///     damaged_job  rows that were not as they were written, as they were found, with the reason and the time
///
/// Each version is made from the one before, in one transaction with those that follow: a crash leaves the old one.
enum DatabaseSchema {
    /// Kept in the database's `user_version`.
    static let version = 2

    /// Throws `newerVersion` where a newer release wrote the database.
    static func prepare(_ database: Database) throws {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found <= version else {
            throw StorageError(
                .newerVersion,
                "the database has version \(found), this release knows \(version): use the newer release")
        }
        if found < 1 { try makeVersion1(database) }
        if found < 2 { try makeVersion2(database) }
        if found < version { try database.execute(sql: "PRAGMA user_version = \(version)") }
    }

    private static func makeVersion1(_ database: Database) throws {
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
                """)
    }

    /// Adds checksums, idempotency keys, and what is known of a job that has ended. When jobs ended was not kept: they
    /// count as ended now, so that none is taken for older than it is.
    private static func makeVersion2(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE job ADD COLUMN started_at TEXT;
                ALTER TABLE job ADD COLUMN finished_at TEXT;
                ALTER TABLE job ADD COLUMN position INTEGER;
                ALTER TABLE job ADD COLUMN idempotency_key TEXT;
                ALTER TABLE job ADD COLUMN log_size INTEGER;
                ALTER TABLE job ADD COLUMN log_sha256 TEXT;
                ALTER TABLE job ADD COLUMN result_size INTEGER;
                ALTER TABLE job ADD COLUMN result_sha256 TEXT;
                ALTER TABLE job ADD COLUMN checksum TEXT;
                CREATE UNIQUE INDEX job_key ON job (idempotency_key) WHERE idempotency_key IS NOT NULL;
                CREATE INDEX job_end ON job (finished_at, number) WHERE finished_at IS NOT NULL;
                CREATE TABLE damaged_job AS SELECT *, '' AS reason, '' AS set_aside_at FROM job WHERE 0;
                """)
        try database.execute(
            sql: "UPDATE job SET finished_at = ? WHERE state IN ('succeeded', 'failed')", arguments: [StoredJob.now])
        for number in try Int64.fetchAll(database, sql: "SELECT number FROM job") {
            let row = try Row.fetchOne(
                database.cachedStatement(sql: "SELECT \(JobRow.selection) FROM job WHERE number = ?"),
                arguments: [number])
            guard let row else { continue }
            try database.cachedStatement(sql: "UPDATE job SET checksum = ? WHERE number = ?")
                .execute(arguments: [JobRow.checksum(of: row.databaseValues.dropLast()), number])
        }
    }
}
