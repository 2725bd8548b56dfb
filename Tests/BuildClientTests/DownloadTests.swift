// SPDX-License-Identifier: Apache-2.0
import BuildClient
import ByteCoding
import Foundation
import TestServers
import Testing

@Suite struct DownloadTests {
    private static let digest = Digest256(of: content)
    private static let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 17 ^ $0 >> 8) }

    private func whole(_ tag: String? = "\"v1\"", sent: Int = content.count, of content: [UInt8] = content) -> [UInt8] {
        let tagLine = tag.map { "ETag: \($0)\r\n" } ?? ""
        return Reply.bytes(200, "Content-Length: \(content.count)\r\n\(tagLine)", Array(content.prefix(sent)))
    }

    private func rest(from start: Int, sent: Int = content.count) -> [UInt8] {
        let range = "Content-Range: bytes \(start)-\(Self.content.count - 1)/\(Self.content.count)\r\n"
        let length = "Content-Length: \(Self.content.count - start)\r\n"
        return Reply.bytes(206, range + length, Array(Self.content[start...].prefix(sent)))
    }

    /// Where the client wants to resume.
    private func start(of request: ScriptedServer.Request) -> Int? {
        request.header("Range").flatMap { Int($0.dropFirst("bytes=".count).dropLast()) }
    }

    private struct Fetched {
        var digest: Digest256?
        var error: BuildClientError?
        var requests: [ScriptedServer.Request]
    }

    private func fetch(_ replies: [[UInt8]], limit: Int64 = 1 << 20) async throws -> Fetched {
        try await fetching(limit: limit) { count, _ in
            replies.indices.contains(count) ? replies[count] : Reply.status(499, "the script is at its end")
        }
    }

    private func fetching(limit: Int64 = 1 << 20, script: @escaping ScriptedServer.Script) async throws -> Fetched {
        let folder = try TemporaryFolder()
        let path = folder.path + "/result.tar.gz"
        let body = { (client: BuildClient) async throws -> BuildClientError? in
            do {
                try await client.download(RemoteJob(id: "j1"), to: path, limit: limit)
                return nil
            } catch {
                return error as? BuildClientError
            }
        }
        let (error, requests) = try await talk(body, script: script)
        let content = error == nil ? Array(try Data(contentsOf: URL(fileURLWithPath: path))) : nil
        return Fetched(digest: content.map { Digest256(of: $0) }, error: error, requests: requests)
    }

    @Test func aResultIsFetchedInOneGo() async throws {
        let fetched = try await fetch([whole()])
        #expect(fetched.digest == Self.digest)
        #expect(fetched.requests.map(\.line) == ["GET /build/j1/result HTTP/1.1"])
        #expect(fetched.requests.first?.header("Range") == nil)
    }

    @Test func theClientTakesZstdAndSaysThatItGotIt() async throws {
        for (header, expected) in [("", false), ("Content-Encoding: zstd\r\n", true)] {
            let folder = try TemporaryFolder()
            let reply = Reply.bytes(200, "Content-Length: \(Self.content.count)\r\n\(header)", Self.content)
            let (isEncoded, requests) = try await talk { client in
                try await client.download(RemoteJob(id: "j1"), to: folder.path + "/result", limit: 1 << 20)
            } script: { _, _ in
                reply
            }
            #expect(isEncoded == expected)
            #expect(requests.first?.header("Accept-Encoding") == "zstd")
        }
    }

    @Test func anotherContentCodingIsRefused() async throws {
        let reply = Reply.bytes(200, "Content-Length: 3\r\nContent-Encoding: br\r\n", [1, 2, 3])
        #expect(try await fetch([reply]).error?.code == .malformedAnswer)
    }

    @Test func aRestInAnotherCodingIsRefused() async throws {
        let fetched = try await fetching { [self] count, request in
            guard let start = start(of: request) else { return whole(sent: 60_000) }
            let range = "Content-Range: bytes \(start)-\(Self.content.count - 1)/\(Self.content.count)\r\n"
            return Reply.bytes(206, range + "Content-Encoding: zstd\r\n", Array(Self.content[start...]))
        }
        #expect(fetched.error?.code == .malformedAnswer)
    }

    /// What a connection still held when it broke may be lost, so the server looks at where the client resumes.
    @Test func aDownloadThatBreaksOftenIsTakenUpWhereItBroke() async throws {
        let fetched = try await fetching { [self] count, request in
            guard let start = start(of: request) else { return whole(sent: 60_000) }
            return count < 3 ? rest(from: start, sent: 20_000) : rest(from: start)
        }
        #expect(fetched.digest == Self.digest)
        #expect(fetched.requests.contains { $0.header("If-Range") == "\"v1\"" })
        #expect(fetched.requests.allSatisfy { ($0.header("If-Range") == nil) == ($0.header("Range") == nil) })
    }

    @Test func anotherVersionIsFetchedFromItsBeginning() async throws {
        let other = Array(Self.content.reversed())
        let fetched = try await fetch([whole(sent: 50_000), whole("\"v2\"", of: other)])
        #expect(fetched.digest == Digest256(of: other))
    }

    @Test(arguments: [nil, "W/\"weak\""])
    func withoutAStrongTagTheDownloadBeginsAgain(tag: String?) async throws {
        let fetched = try await fetch([whole(tag, sent: 50_000), whole(tag)])
        #expect(fetched.digest == Self.digest)
        #expect(fetched.requests.map { $0.header("Range") } == [nil, nil])
    }

    @Test func whoTakesNoZstdAsksForNoneAndRefusesIt() async throws {
        for (header, code) in [("", nil), ("Content-Encoding: zstd\r\n", BuildClientError.Code.malformedAnswer)] {
            let folder = try TemporaryFolder()
            let body = { (client: BuildClient) async throws -> BuildClientError.Code? in
                do {
                    try await client.download(
                        RemoteJob(id: "j1"), to: folder.path + "/result", limit: 1 << 20, takesZstd: false)
                    return nil
                } catch {
                    return (error as? BuildClientError)?.code
                }
            }
            let (found, requests) = try await talk([Reply.bytes(200, header, Self.content)], body)
            #expect(found == code)
            #expect(requests.first?.header("Accept-Encoding")?.contains("zstd") != true)
        }
    }

    @Test func aRangeThatWasNotAskedForIsRefused() async throws {
        let fetched = try await fetching { [self] _, request in
            start(of: request).map { rest(from: $0 - 1) } ?? whole(sent: 50_000)
        }
        #expect(fetched.error?.code == .malformedAnswer)
        #expect(try await fetch([rest(from: 0)]).error?.code == .malformedAnswer)
    }

    @Test func aServerThatKeepsBreakingIsGivenUp() async throws {
        let fetched = try await fetching { [self] _, request in
            start(of: request).map { rest(from: $0, sent: 0) } ?? whole(sent: 50_000)
        }
        #expect(fetched.error?.code == .unreachable)
    }

    @Test func aServerThatGoesAwayAfterSomeProgressIsGivenUp() async throws {
        let fetched = try await fetch([whole(sent: 50_000)] + Array(repeating: Reply.status(503, "gone"), count: 9))
        #expect(fetched.error?.code == .busy)
        #expect(fetched.requests.count <= 5)
    }

    @Test func moreThanTheLimitIsRefusedBeforeItArrives() async throws {
        #expect(try await fetch([whole()], limit: 100_000).digest == Self.digest)
        #expect(try await fetch([whole()], limit: 99_999).error?.code == .tooLarge)
        let withoutLength = Reply.bytes(200, "", Self.content)
        #expect(try await fetch([withoutLength], limit: 99_999).error?.code == .tooLarge)
    }

    @Test func aResultThatIsNotThereIsRefused() async throws {
        let fetched = try await fetch([Reply.status(404, "no such job"), whole()])
        #expect(fetched.error?.code == .refused)
        #expect(fetched.requests.count == 1)
    }

    @Test func aFileThatIsThereIsNotTouched() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/there"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        let (error, requests) = try await talk([whole()]) { client in
            await #expect(throws: BuildClientError.self) {
                try await client.download(RemoteJob(id: "j1"), to: path, limit: 1 << 20)
            }
        }
        #expect(error?.code == .file)
        #expect(requests.isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
    }
}
