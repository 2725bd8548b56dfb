// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import GRDB
import StrictJSON

/// A row of the table `job` that is not what this program wrote.
struct DamagedRow: Error {
    let number: Int64
    /// What differs: one clause.
    let reason: String
}

/// How a job stands in the table `job`, and the checksum over its fields.
enum JobRow {
    /// All columns but the checksum, in the order in which the checksum takes them.
    static let columns = [
        "number", "id", "request", "state", "attempt", "created_at", "error_type", "error", "started_at", "finished_at",
        "position", "idempotency_key", "log_size", "log_sha256", "result_size", "result_sha256",
    ]
    static let selection = (columns + ["checksum"]).joined(separator: ", ")

    /// The values of ``columns``.
    static func values(of job: StoredJob, number: Int64) -> [DatabaseValue] {
        let request = String(decoding: job.request.storedJSON.canonicalBytes, as: UTF8.self)
        let values: [(any DatabaseValueConvertible)?] = [
            number, job.id.text, request, job.state.rawValue, job.attempt, job.createdAt, job.failure?.kind.rawValue,
            job.failure?.message, job.startedAt, job.finishedAt, job.position, job.idempotencyKey, job.logFile?.size,
            job.logFile?.sha256.hex, job.resultFile?.size, job.resultFile?.sha256.hex,
        ]
        return values.map { value in
            guard let text = value as? String else { return value?.databaseValue ?? .null }
            return kept(text).databaseValue
        }
    }

    /// GRDB binds text up to its first NUL only, so that the row would not give the checksum of what was meant: NUL
    /// becomes U+FFFD before either is made. A failure may repeat what a stranger's program said.
    private static func kept(_ text: String) -> String {
        text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text
    }

    /// SHA-256, in hexadecimal, over all values, each with its type and length, so that no two rows are written alike:
    /// `-;` for none, `i5;` for an integer, `t3:abc;` for text and `b2:..;` for bytes.
    static func checksum(of values: some Sequence<DatabaseValue>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 << 10)
        for value in values {
            switch value.storage {
            case .null: bytes.append(UInt8(ascii: "-"))
            case .int64(let integer): bytes += "i\(integer)".utf8
            case .double(let double): bytes += "d\(double)".utf8
            case .string(let text): bytes += "t\(text.utf8.count):\(text)".utf8
            case .blob(let blob): bytes += Array("b\(blob.count):".utf8) + blob
            }
            bytes.append(UInt8(ascii: ";"))
        }
        return Digest256(of: bytes).hex
    }

    /// A row of ``selection``, checked.
    static func job(_ row: Row) throws(DamagedRow) -> (number: Int64, job: StoredJob) {
        let values = Array(row.databaseValues)
        // `number` is the table's own key: an integer always.
        let number = Int64.fromDatabaseValue(values[0]) ?? 0
        let stored = String.fromDatabaseValue(values[columns.count])
        let found = checksum(of: values.dropLast())
        guard stored == found else {
            throw DamagedRow(
                number: number, reason: "its fields give the checksum \(found), expected \(stored ?? "one, found none")"
            )
        }
        guard let job = StoredJob(values) else {
            throw DamagedRow(number: number, reason: "its fields are not what this release writes")
        }
        return (number, job)
    }
}

extension StoredJob {
    /// `nil` where a value has another type or form than ``JobRow/values(of:number:)`` gives it.
    fileprivate init?(_ values: [DatabaseValue]) {
        // GRDB's typed columns trap on a value of another type; these do not.
        func text(_ index: Int) -> String? { String.fromDatabaseValue(values[index]) }
        guard let id = text(1).flatMap(JobID.init), let stored = text(2),
            let json = try? JSONValue(parsing: Array(stored.utf8)), let request = BuildRequest(storedJSON: json),
            let state = text(3).flatMap(State.init), let attempt = Int.fromDatabaseValue(values[4]), attempt >= 0,
            let createdAt = text(5), values[6].isNull == (state != .failed)
        else { return nil }
        self.init(
            id: id, request: request, position: Int.fromDatabaseValue(values[10]), idempotencyKey: text(11),
            state: state, attempt: attempt, createdAt: createdAt)
        if let kind = text(6), let message = text(7) {
            guard let kind = BuildFailure.Kind(rawValue: kind) else { return nil }
            failure = BuildFailure(kind, message)
        }
        (startedAt, finishedAt) = (text(8), text(9))
        logFile = FileRecord(values[12], values[13])
        resultFile = FileRecord(values[14], values[15])
    }
}

extension FileRecord {
    fileprivate init?(_ size: DatabaseValue, _ digest: DatabaseValue) {
        guard let size = Int64.fromDatabaseValue(size), let hex = String.fromDatabaseValue(digest),
            let sha256 = try? Digest256(hex: hex)
        else { return nil }
        self.init(size: size, sha256: sha256)
    }
}
