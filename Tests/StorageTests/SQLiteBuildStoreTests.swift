// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import GRDB
import Storage
import Testing

@Suite struct SQLiteBuildStoreTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("jobs.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    @Test func everythingIsThereAfterReopening() async throws {
        var written: [StoredJob?] = []
        do {
            let store = try SQLiteBuildStore(path: path)
            for number in [4, 2, 3, 1] as [UInt64] { try await store.accept(job(number)) }
            _ = try await store.markRunning(id(4))
            _ = try await store.markRunning(id(2))
            try await store.requeue(id(2))
            try await store.finish(id(3), nil)
            try await store.finish(id(1), BuildFailure(.build, "no"))
            for number in 1...4 as ClosedRange<UInt64> { written.append(try await store.job(id(number))) }
        }
        let store = try SQLiteBuildStore(path: path)
        for number in 1...4 as ClosedRange<UInt64> {
            #expect(try await store.job(id(number)) == written[Int(number) - 1])
        }
        #expect(try await store.unfinished().map(\.id) == [id(4), id(2)])
        #expect(try await store.job(id(3))?.state == .succeeded)
        #expect(try await store.job(id(1))?.state == .failed)
        #expect(try await store.markRunning(id(4)) == 2)
    }

    @Test func whatOneConnectionWritesAnotherReadsAtOnce() async throws {
        let store = try SQLiteBuildStore(path: path)
        let other = try SQLiteBuildStore(path: path)
        try await store.accept(job(1))
        #expect(try await other.job(id(1))?.state == .queued)
    }

    private static let sources: [@Sendable () throws -> SourceRequest] = [
        { .git(GitSource(url: try GitURL("https://example.com/a/b.git"), ref: nil)) },
        { .git(GitSource(url: try GitURL("https://example.com/a/b.git"), ref: try GitRef("feature/x"))) },
        {
            let digest = try Digest256(hex: String(repeating: "ab", count: 32))
            return .archive(ArchiveSource(name: try ArchiveName("näme.zip"), sha256: digest, size: 1 << 40))
        },
        { .folder(FolderSource(path: "/a \"folder\"\n\u{1}")) },
    ]

    @Test(arguments: sources.indices)
    func everyKindOfRequestComesBack(index: Int) async throws {
        let request = BuildRequest(nonce: try Nonce(hex: "00ff17"), source: try Self.sources[index]())
        let job = StoredJob(id: id(7), request: request)
        try await SQLiteBuildStore(path: path).accept(job)
        #expect(try await SQLiteBuildStore(path: path).job(id(7)) == job)
    }

    @Test func aMessageWithANulIsKept() async throws {
        let store = try SQLiteBuildStore(path: path)
        try await store.accept(job(1))
        try await store.finish(id(1), BuildFailure(.build, "a\0b"))
        #expect(try await store.job(id(1))?.failure == BuildFailure(.build, "a\u{FFFD}b"))
        #expect(try await SQLiteBuildStore(path: path).setAsideDamaged().isEmpty)
    }

    @Test func theSchemaOfANewerReleaseIsRefusedAndLeftAlone() async throws {
        try await SQLiteBuildStore(path: path).accept(job(1))
        try change("PRAGMA user_version = 3")
        #expect(await code { _ = try SQLiteBuildStore(path: path) } == .newerVersion)
        try change("PRAGMA user_version = 2")
        #expect(try await SQLiteBuildStore(path: path).job(id(1)) != nil)
    }

    @Test func aDatabaseThatIsDamagedAsAWholeIsRefusedWithWhatToDo() async throws {
        do {
            let store = try SQLiteBuildStore(path: path)
            for number in 1...200 as ClosedRange<UInt64> { try await store.accept(job(number)) }
        }
        try change("PRAGMA wal_checkpoint(TRUNCATE)")
        var file = try bytes(of: path)
        for index in 4096 * 3..<min(4096 * 8, file.count) { file[index] = 0x5A }
        try write(file, to: path)
        let error = #expect(throws: StorageError.self) { try SQLiteBuildStore(path: path) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("backup") == true && error?.message.contains(".recover") == true)
    }

    @Test func aFileThatIsNoDatabaseIsRefused() async throws {
        try write(Array(String(repeating: "no database ", count: 100).utf8), to: path)
        #expect(await code { _ = try SQLiteBuildStore(path: path) } == .corrupt)
    }

    @Test func aFolderThatIsNotThereIsRefused() async throws {
        #expect(await code { _ = try SQLiteBuildStore(path: folder.file("none/jobs.sqlite")) } == .inputOutput)
    }

    /// Changes of a record that was written whole, in every field; each is found.
    private static let changes = [
        "number = 70", "state = 'running'", "state = x'00ff'", "request = '{'",
        #"request = '{"nonce":"00ff","source":{"git":"https://example.com/a/c.git"}}'"#,
        "attempt = 1", "attempt = 'many'", "created_at = '2001-01-01T00:00:00Z'", "error_type = 'BuildError'",
        "error = 'x'", "started_at = '2001-01-01T00:00:00Z'", "finished_at = '2001-01-01T00:00:00Z'", "position = 1",
        "position = NULL", "idempotency_key = 'a'", "log_size = 1", "log_sha256 = 'ab'",
        "result_size = 1", "result_sha256 = 'ab'", "checksum = NULL", "checksum = 'ab'", "checksum = x'00'",
    ]

    @Test(arguments: changes)
    func aChangedRecordIsSetAsideAndNamedAndTheOthersStay(change assignment: String) async throws {
        let store = try SQLiteBuildStore(path: path)
        for number in 1...3 as ClosedRange<UInt64> { try await store.accept(job(number)) }
        let row = try text("SELECT quote(request) FROM job WHERE id = '\(id(2))'")
        try change("UPDATE job SET \(assignment) WHERE id = '\(id(2))'")
        let error = await #expect(throws: StorageError.self) { try await store.job(id(2)) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains(id(2).text) == true && error?.message.contains("checksum") == true)
        #expect(try await store.unfinished().map(\.id) == [id(1), id(3)])
        #expect(try await store.allJobs() == [id(1), id(3)])
        #expect(try text("SELECT count(*) FROM damaged_job WHERE id = '\(id(2))'") == "1")
        if !assignment.hasPrefix("request") {
            #expect(try text("SELECT quote(request) FROM damaged_job") == row, "the record was not kept as it was")
        }
        for _ in 1...2 {
            #expect(await code { _ = try await store.job(id(2)) } == .damaged)
            #expect(await code { _ = try await store.markRunning(id(2)) } == .damaged)
            #expect(await code { try await store.remove(id(2)) } == .damaged)
        }
        #expect(try await SQLiteBuildStore(path: path).setAsideDamaged().map(\.isNew) == [false])
    }

    @Test func aChangedRecordIsFoundByWhateverCallComesFirst() async throws {
        let store = try SQLiteBuildStore(path: path)
        for number in 1...4 as ClosedRange<UInt64> {
            try await store.accept(StoredJob(id: id(number), request: job(1).request, idempotencyKey: "key \(number)"))
        }
        try change("UPDATE job SET attempt = 7")
        #expect(await code { _ = try await store.markRunning(id(1)) } == .damaged)
        #expect(await code { _ = try await store.job(withKey: "key 2") } == .damaged)
        #expect(try await store.unfinished().isEmpty)
        #expect(try text("SELECT count(*) FROM damaged_job") == "4")
    }

    @Test func aDamagedIdIsFoundWhenAllRecordsAreChecked() async throws {
        let store = try SQLiteBuildStore(path: path)
        for number in 1...2 as ClosedRange<UInt64> { try await store.accept(job(number)) }
        try change("UPDATE job SET id = 'unknown' WHERE id = '\(id(1))'")
        #expect(await code { _ = try await store.allJobs() } == .corrupt)
        let damaged = try await store.setAsideDamaged()
        #expect(damaged.map(\.id) == ["unknown"] && damaged.map(\.isNew) == [true])
        #expect(try await store.allJobs() == [id(2)])
    }

    /// A number comes again where the last job was set aside.
    @Test func everyRecordIsNewOnce() async throws {
        for _ in 1...2 {
            let store = try SQLiteBuildStore(path: path)
            let earlier = try await store.setAsideDamaged()
            try await store.accept(job(1))
            try change("UPDATE job SET number = 1, attempt = 7")
            let damaged = try await store.setAsideDamaged()
            #expect(damaged.map(\.isNew) == earlier.map { _ in false } + [true])
            #expect(try await store.setAsideDamaged().allSatisfy { !$0.isNew })
        }
    }

    @Test func changesThatComeTogetherShareCommits() async throws {
        let store = try SQLiteBuildStore(path: path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...400 as ClosedRange<UInt64> { group.addTask { try await store.accept(job(number)) } }
            try await group.waitForAll()
        }
        #expect(try await store.unfinished().count == 400)
        #expect(await code { try await store.accept(job(17)) } == .corrupt)
        #expect(try await store.unfinished().count == 400)
    }

    @Test func onlyTheOwnerMayReadTheDatabase() async throws {
        let store = try SQLiteBuildStore(path: path)
        try await store.accept(job(1))
        for file in [path, path + "-wal", path + "-shm"] { #expect(try mode(of: file) == 0o600, "\(file)") }
        _ = try await store.allJobs()
    }

    private func text(_ sql: String) throws -> String? {
        try DatabaseQueue(path: path).read { database in try String.fetchOne(database, sql: sql) }
    }

    private func change(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { database in try database.execute(sql: sql) }
    }
}
