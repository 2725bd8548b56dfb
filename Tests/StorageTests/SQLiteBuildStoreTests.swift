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

    @Test func theSchemaOfANewerReleaseIsRefusedAndLeftAlone() async throws {
        try await SQLiteBuildStore(path: path).accept(job(1))
        try change("PRAGMA user_version = 2")
        #expect(await code { _ = try SQLiteBuildStore(path: path) } == .newerVersion)
        try change("PRAGMA user_version = 1")
        #expect(try await SQLiteBuildStore(path: path).job(id(1)) != nil)
    }

    @Test func aFileThatIsNoDatabaseIsRefused() async throws {
        try write(Array(String(repeating: "no database ", count: 100).utf8), to: path)
        #expect(await code { _ = try SQLiteBuildStore(path: path) } == .corrupt)
    }

    @Test func aFolderThatIsNotThereIsRefused() async throws {
        #expect(await code { _ = try SQLiteBuildStore(path: folder.file("none/jobs.sqlite")) } == .inputOutput)
    }

    @Test(arguments: [
        "state = 'paused'", "state = x'00ff'", "request = '{'", "request = '{}'", "request = x'ff'",
        #"request = '{"nonce":"00ff","source":{"git":"ftp://example.com/a"}}'"#,
        #"request = '{"nonce":"","source":{"folder":"/a"}}'"#,
        "attempt = 'many'", "attempt = -1", "attempt = x'00'", "created_at = x'ff'",
    ])
    func aCorruptRowIsNamed(change assignment: String) async throws {
        let store = try SQLiteBuildStore(path: path)
        for number in 1...2 as ClosedRange<UInt64> { try await store.accept(job(number)) }
        try change("UPDATE job SET \(assignment) WHERE id = '\(id(2))'")
        let error = await #expect(throws: StorageError.self) { try await store.job(id(2)) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains(id(2).text) == true)
        #expect(await code { _ = try await store.markRunning(id(2)) } == .corrupt)
        #expect(try await store.job(id(1)) != nil)
    }

    @Test func anIdThatIsNoneIsNotPassedOver() async throws {
        let store = try SQLiteBuildStore(path: path)
        try await store.accept(job(1))
        try change("UPDATE job SET id = 'unknown'")
        #expect(await code { _ = try await store.allJobs() } == .corrupt)
        #expect(await code { _ = try await store.unfinished() } == .corrupt)
    }

    @Test func onlyTheOwnerMayReadTheDatabase() async throws {
        let store = try SQLiteBuildStore(path: path)
        try await store.accept(job(1))
        for file in [path, path + "-wal", path + "-shm"] { #expect(try mode(of: file) == 0o600, "\(file)") }
        _ = try await store.allJobs()
    }

    private func change(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { database in try database.execute(sql: sql) }
    }
}
