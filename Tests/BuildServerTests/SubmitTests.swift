// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import ByteCoding
import Storage
import StrictJSON
import Synchronization
import Testing

@Suite struct SubmitTests {
    private let archive = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]

    /// Runs a service whose builds record what they were given.
    private func recorded(_ use: (RawClient) async throws -> Void) async throws -> [(BuildRequest, [UInt8]?)] {
        let seen = Seen()
        try await TestService.run(runner: { build in
            seen.add(build)
            return nil
        }) { try await use($0.client) }
        return seen.all
    }

    private final class Seen: Sendable {
        private let builds = Mutex<[(BuildRequest, [UInt8]?)]>([])
        var all: [(BuildRequest, [UInt8]?)] { builds.withLock { $0 } }
        func add(_ build: TestBuild) {
            let entry = (build.job.request, build.source())
            builds.withLock { $0.append(entry) }
        }
    }

    private func expect(_ seen: [(BuildRequest, [UInt8]?)], name: String) throws {
        let (request, bytes) = try #require(seen.first)
        guard case .archive(let source) = request.source else {
            Issue.record("no archive: \(request)")
            return
        }
        #expect(bytes == archive && source.size == Int64(archive.count))
        #expect(source.sha256 == Digest256(of: archive))
        #expect(source.name.text == name && request.nonce.hex == "00ff")
    }

    private func follow(_ reply: RawClient.Reply, _ client: RawClient) async throws {
        #expect(reply.status == 202 && reply.headers["location"] == "/build/\(reply.jobID)", "\(reply.text)")
        let events = try await client.send("GET", "/build/\(reply.jobID)/events").events
        #expect(events.first == #"{"type":"queued","position":0}"#)
        #expect(events.last?.hasPrefix(#"{"type":"complete""#) == true)
    }

    @Test func anArchiveInJSONArrivesWhole() async throws {
        let seen = try await recorded { client in
            let reply = try await client.submit(
                ["nonce": "00FF", "source_data": Base64.encode(archive), "source_name": "x.zip"])
            try await follow(reply, client)
        }
        try expect(seen, name: "x.zip")
    }

    @Test func anArchiveInAFormArrivesWhole() async throws {
        let head =
            "--m\r\nContent-Disposition: form-data; name=\"nonce\"\r\n\r\n00ff\r\n--m\r\n"
            + "Content-Disposition: form-data; name=\"source\"; filename=\"y.tar.gz\"\r\n\r\n"
        let seen = try await recorded { client in
            let reply = try await client.send(
                "POST", "/build", headers: ["content-type": "multipart/form-data; boundary=m"],
                body: Array(head.utf8) + archive + Array("\r\n--m--\r\n".utf8))
            try await follow(reply, client)
        }
        try expect(seen, name: "y.tar.gz")
    }

    @Test func aRawArchiveArrivesWholeAlsoInChunks() async throws {
        let seen = try await recorded { client in
            let path = "/build?nonce=00ff&source_name=z%2Ezip"
            let reply = try await client.send(
                "POST", path, headers: ["content-type": "application/zip"], body: archive)
            try await follow(reply, client)
            let chunk = Array("\(String(archive.count, radix: 16))\r\n".utf8) + archive + Array("\r\n0\r\n\r\n".utf8)
            let headers = ["content-type": "application/gzip", "transfer-encoding": "chunked"]
            let bytes = RawClient.request("POST", "/build?nonce=01", headers: headers) + chunk
            let second = try await client.open(bytes) { stream in
                try await stream.readToEnd()
                return try stream.reply()
            }
            try await follow(second, client)
        }
        try expect(seen, name: "z.zip")
        guard seen.count == 2, case .archive(let source) = seen[1].0.source else {
            Issue.record("no second archive")
            return
        }
        #expect(source.name.text == "source.tar.gz" && seen[1].1 == archive)
    }

    @Test func aRepositoryIsTakenWithItsRef() async throws {
        let seen = try await recorded { client in
            try await follow(try await client.submit(Self.git.merging(["repo_ref": "v1"]) { $1 }), client)
        }
        guard let request = seen.first?.0, case .git(let source) = request.source else {
            Issue.record("no git source")
            return
        }
        #expect(source.url.text == "https://example.com/a/project.git" && source.ref?.text == "v1")
    }

    @Test func whoAsksBeforeUploadingIsToldToGoOn() async throws {
        let body = #"{"nonce":"ab","repo_url":"https://example.com/a"}"#
        try await TestService.run { service in
            let headers = [
                "content-type": "application/json", "expect": "100-continue", "content-length": "\(body.count)",
            ]
            try await service.client.open(RawClient.request("POST", "/build", headers: headers)) { stream in
                try await stream.read(until: "HTTP/1.1 100 Continue\r\n\r\n")
                try await stream.write(body)
                try await stream.read(until: "HTTP/1.1 202 Accepted\r\n")
            }
        }
    }

    @Test(arguments: [
        "{}", #"{"nonce":"ab"}"#, #"{"repo_url":"https://a.b/c"}"#, #"{"nonce":"","repo_url":"https://a.b/c"}"#,
        #"{"nonce":"abc","repo_url":"https://a.b/c"}"#, #"{"nonce":1234,"repo_url":"https://a.b/c"}"#,
        #"{"nonce":"ab","source_data":""}"#, #"{"nonce":"ab","source_data":"AAAA","repo_url":"https://a.b/c"}"#,
        #"{"nonce":"ab","source_data":"AAAA","repo_ref":"main"}"#, #"{"nonce":"ab","repo_url":"file:///etc"}"#,
        #"{"nonce":"ab","repo_url":"https://a.b/c","repo_ref":"-x"}"#,
        #"{"nonce":"ab","repo_url":"https://a.b/c","source_name":"a\u0001"}"#, "[]", "{", "", "\u{FF}",
    ]) func aWrongSubmissionIsRefusedAndLeavesNothing(body: String) async throws {
        try await TestService.run { service in
            let reply = try await service.client.send(
                "POST", "/build", headers: ["content-type": "application/json"], body: Array(body.utf8))
            expectRefusal(reply, 400)
            #expect(service.leftovers.isEmpty)
        }
    }

    @Test(arguments: ["nonce=xyz", "nonce=", "source_name=a%01", "nonce=ab&nonce=ab", "nonce=%zz"])
    func aWrongQueryIsRefusedBesideAnyBody(query: String) async throws {
        try await TestService.run { service in
            let body = Array(#"{"nonce":"ab","repo_url":"https://a.b/c"}"#.utf8)
            let type = ["content-type": "application/json"]
            expectRefusal(
                try await service.client.send("POST", "/build?\(query)", headers: type, body: body), 400)
            #expect(
                try await service.client.send("POST", "/build?nonce=ab&x=y", headers: type, body: body).status == 202)
        }
    }

    @Test func otherContentIsRefused() async throws {
        try await TestService.run { service in
            let client = service.client
            expectRefusal(
                try await client.send("POST", "/build", headers: ["content-type": "text/plain"], body: []), 415)
            expectRefusal(try await client.send("POST", "/build", body: Array("{}".utf8)), 415)
            let coded = ["content-type": "application/json", "content-encoding": "gzip"]
            expectRefusal(try await client.send("POST", "/build", headers: coded, body: [1]), 415)
            let form = ["content-type": "multipart/form-data"]
            expectRefusal(try await client.send("POST", "/build", headers: form, body: [1]), 400)
        }
    }

    @Test func whatIsTooLargeIsRefusedWhetherItSaysSoOrNot() async throws {
        try await TestService.run({ $0.limits.uploadSize = 1000 }) { service in
            let client = service.client
            let large = [UInt8](repeating: 1, count: 1001)
            let zip = ["content-type": "application/zip"]
            expectRefusal(try await client.send("POST", "/build?nonce=ab", headers: zip, body: large), 413)
            let json = try await client.submit(["nonce": "ab", "source_data": Base64.encode(large)])
            expectRefusal(json, 413)
            let declared = zip.merging(["content-length": "10737418240", "expect": "100-continue"]) { $1 }
            try await client.open(RawClient.request("POST", "/build?nonce=ab", headers: declared)) { stream in
                try await stream.read(until: "HTTP/1.1 413 ")
            }
            #expect(service.leftovers.isEmpty)
            let fits = try await client.send("POST", "/build?nonce=ab", headers: zip, body: Array(large.dropLast()))
            #expect(fits.status == 202)
        }
    }

    @Test func anUploadThatBreaksOffLeavesNothingAndItsPlaceIsFree() async throws {
        try await TestService.run({ ($0.queueLength, $0.concurrency) = (0, 1) }) { service in
            let headers = ["content-type": "application/zip", "content-length": "1000000"]
            let request = RawClient.request("POST", "/build?nonce=ab", headers: headers)
            try await service.client.open(request + [UInt8](repeating: 7, count: 300_000)) { _ in }
            var reply = try await service.client.submit(Self.git)
            while reply.status == 503 { reply = try await service.client.submit(Self.git) }
            #expect(reply.status == 202)
            #expect(service.leftovers.isEmpty)
        }
    }
}

/// The status, and the body that every refusal has.
func expectRefusal(_ reply: RawClient.Reply, _ status: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(reply.status == status, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply.headers["content-type"] == "application/json", sourceLocation: sourceLocation)
    #expect(reply.json?["status"] == "failed", sourceLocation: sourceLocation)
    #expect(reply.json?["error"]?.stringValue?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(reply.json?["error_type"]?.stringValue != nil, sourceLocation: sourceLocation)
}
