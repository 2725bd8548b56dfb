// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Builds
import ByteCoding
import Foundation
import StrictJSON
import TestServers
import Testing

@Suite struct SubmitTests {
    private let accepted = Reply.json(202, "{\"job_id\":\"0123456789abcdef0123456789abcdef\"}")

    private func gitSubmission(ref: String? = nil) throws -> Submission {
        let source = GitSource(url: try GitURL("https://example.org/x.git"), ref: try ref.map { try GitRef($0) })
        return Submission(nonce: try Nonce(hex: "00ff17"), source: .git(source))
    }

    @Test func aRepositoryIsNamedInJSON() async throws {
        let submission = try gitSubmission(ref: "v1.0")
        let (job, requests) = try await talk([accepted]) { try await $0.submit(submission) }
        #expect(job.id == "0123456789abcdef0123456789abcdef")
        #expect(requests.map(\.line) == ["POST /build HTTP/1.1"])
        #expect(requests.first?.header("Content-Type") == "application/json")
        #expect(
            try requests.map { try JSONValue(parsing: $0.body) }
                == [["nonce": "00ff17", "repo_url": "https://example.org/x.git", "repo_ref": "v1.0"]])
    }

    @Test func aFileIsSentAsItIs() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/my \"file\".tar.gz"
        let content = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        let submission = Submission(
            nonce: try Nonce(hex: "0a"), source: .archive(path: path, name: try ArchiveName("my \"file\".tar.gz")))
        let (_, requests) = try await talk([accepted]) { try await $0.submit(submission) }
        let request = try #require(requests.first)
        let boundary = try #require(request.header("Content-Type")?.split(separator: "=").last)
        #expect(request.header("Content-Type")?.hasPrefix("multipart/form-data; boundary=") == true)
        let head =
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"nonce\"\r\n\r\n0a\r\n--\(boundary)\r\n"
            + "Content-Disposition: form-data; name=\"source_name\"\r\n\r\nmy \"file\".tar.gz\r\n--\(boundary)\r\n"
            + "Content-Disposition: form-data; name=\"source\"; filename=\"my %22file%22.tar.gz\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n"
        let expected = Array(head.utf8) + content + Array("\r\n--\(boundary)--\r\n".utf8)
        #expect(Digest256(of: request.body) == Digest256(of: expected))
        #expect(request.header("Content-Length") == "\(request.body.count)")
    }

    @Test func aFullServerIsAskedAgain() async throws {
        let submission = try gitSubmission()
        var waits: [Duration] = []
        let busy = [(429, 2), (503, 9)].map { Reply.status($0.0, "full", headers: "Retry-After: \($0.1)\r\n") }
        let (_, requests) = try await talk(busy + [accepted]) { client in
            try await client.submit(submission) { waits.append($0.delay) }
        }
        #expect(requests.count == 3)
        #expect(waits == [.seconds(2), .seconds(9)])
    }

    @Test func aServerThatStaysFullIsGivenUp() async throws {
        let submission = try gitSubmission()
        let busy = Array(repeating: Reply.status(503, "full"), count: 9)
        let (error, requests) = try await talk(busy, attempts: 4) { client in
            await #expect(throws: BuildClientError.self) { try await client.submit(submission) }
        }
        #expect(error?.code == .busy)
        #expect(requests.count == 5)
    }

    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: BuildClientError.Code
        let bytes: [UInt8]

        init(_ name: String, _ code: BuildClientError.Code, _ bytes: [UInt8]) {
            testDescription = name
            self.code = code
            self.bytes = bytes
        }
    }

    @Test(arguments: [
        Answer("bad request", .refused, Reply.status(400, "the nonce is odd")),
        Answer("too large", .refused, Reply.status(413, "too large")),
        Answer("another service", .refused, Reply.json(404, "<html>")),
        Answer("no job id", .malformedAnswer, Reply.json(202, "{}")),
        Answer("job id with a path", .malformedAnswer, Reply.json(202, "{\"job_id\":\"../x\"}")),
        Answer("no JSON", .malformedAnswer, Reply.json(202, "no json")),
        Answer("an endless answer", .malformedAnswer, Reply.json(202, String(repeating: " ", count: 70_000))),
    ])
    func anythingElseIsFinalBecauseTheJobMayHaveBeenTaken(answer: Answer) async throws {
        let submission = try gitSubmission()
        let (error, requests) = try await talk([answer.bytes, accepted]) { client in
            await #expect(throws: BuildClientError.self) { try await client.submit(submission) }
        }
        #expect(error?.code == answer.code)
        #expect(requests.count == 1)
    }

    private static let lost = [Reply.bytes(202, "Content-Length: 50\r\n", Array("{\"job".utf8)), []]
    private static let description = Reply.json(
        200, #"{"paths":{"/build":{"post":{"parameters":[{"name":"nonce"},{"name":"Idempotency-Key"}]}}}}"#)

    @Test(arguments: lost)
    func aLostAnswerIsAskedForAgainWhereTheServerKnowsKeys(answer: [UInt8]) async throws {
        let submission = try gitSubmission()
        let replies = [answer, Reply.status(503, "starting"), Self.description, answer, Self.description, accepted]
        let (_, requests) = try await talk(replies, attempts: 9) { try await $0.submit(submission) }
        let posts = requests.filter { $0.line.hasPrefix("POST") }
        #expect(requests.count == 6 && posts.count == 3)
        #expect(posts.allSatisfy { $0.body == posts[0].body })
        let keys = Set(posts.map { $0.header("Idempotency-Key") ?? "" })
        #expect(keys.count == 1 && keys.first?.utf8.count == 34, "\(keys)")
    }

    @Test(arguments: lost)
    func aLostAnswerIsFinalWhereTheServerKnowsNoKeys(answer: [UInt8]) async throws {
        let submission = try gitSubmission()
        for description in [Reply.json(200, #"{"paths":{}}"#), Reply.status(404, "nothing"), Reply.json(200, "[")] {
            let (error, requests) = try await talk([answer, description, accepted]) { client in
                await #expect(throws: BuildClientError.self) { try await client.submit(submission) }
            }
            #expect(error?.code == .unreachable)
            #expect(requests.map(\.line) == ["POST /build HTTP/1.1", "GET /openapi.json HTTP/1.1"])
        }
    }

    @Test func eachSubmissionHasAKeyOfItsOwn() async throws {
        let submission = try gitSubmission()
        let (_, requests) = try await talk([accepted, accepted]) { client in
            for _ in 1...2 { _ = try await client.submit(submission) }
        }
        #expect(Set(requests.map { $0.header("Idempotency-Key") ?? "" }).count == 2)
    }

    @Test func theServersOwnWordsAreShown() async throws {
        let submission = try gitSubmission()
        let (error, _) = try await talk([Reply.status(400, "the nonce is odd")]) { client in
            await #expect(throws: BuildClientError.self) { try await client.submit(submission) }
        }
        #expect(error?.message == "the server answered 400: the nonce is odd")
    }

    @Test(arguments: ["/no/such/file", "/"])
    func aFileThatCannotBeReadIsNotSent(path: String) async throws {
        let submission = Submission(
            nonce: try Nonce(hex: "0a"), source: .archive(path: path, name: try ArchiveName("x.zip")))
        let (error, requests) = try await talk([accepted]) { client in
            await #expect(throws: BuildClientError.self) { try await client.submit(submission) }
        }
        #expect(error?.code == .file)
        #expect(requests.isEmpty)
    }
}
