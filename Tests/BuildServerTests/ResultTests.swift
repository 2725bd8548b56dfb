// SPDX-License-Identifier: Apache-2.0
import Builds
import Storage
import Testing

@Suite struct ResultTests {
    private static let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 / 1000 &+ $0) }

    /// A service with one good build.
    private func built(_ use: (RawClient, _ path: String) async throws -> Void) async throws {
        let runner: TestRunner = { build in
            do {
                try build.putResult(Self.bytes)
                return nil
            } catch {
                return BuildFailure(.internal, "\(error)")
            }
        }
        try await TestService.run(runner: runner) { service in
            let fields = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]
            let id = try await service.client.submit(fields).jobID
            _ = try await service.client.send("GET", "/build/\(id)/events")
            try await use(service.client, "/build/\(id)/result")
        }
    }

    @Test func aResultIsServedWholeWithWhatDownloadsNeed() async throws {
        try await built { client, path in
            let reply = try await client.send("GET", path)
            #expect(reply.status == 200 && reply.body == Self.bytes)
            #expect(reply.headers["content-type"] == "application/gzip")
            #expect(reply.headers["content-length"] == "\(Self.bytes.count)")
            #expect(reply.headers["content-disposition"] == "attachment; filename=\"project.tar.gz\"")
            #expect(reply.headers["accept-ranges"] == "bytes")
            let head = try await client.send("HEAD", path)
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "\(Self.bytes.count)")
        }
    }

    @Test func aBrokenDownloadResumes() async throws {
        try await built { client, path in
            let tag = try #require(try await client.send("HEAD", path).headers["etag"])
            let headers = ["range": "bytes=300000-", "if-range": tag]
            let rest = try await client.send("GET", path, headers: headers)
            #expect(rest.status == 206 && rest.body == Array(Self.bytes.dropFirst(300_000)))
            #expect(rest.headers["content-range"] == "bytes 300000-\(Self.bytes.count - 1)/\(Self.bytes.count)")
            #expect(rest.headers["content-length"] == "\(Self.bytes.count - 300_000)")
            let other = try await client.send("GET", path, headers: ["range": "bytes=300000-", "if-range": "\"x\""])
            #expect(other.status == 200 && other.body == Self.bytes)
            let last = try await client.send("GET", path, headers: ["range": "bytes=-5"])
            #expect(last.status == 206 && last.body == Array(Self.bytes.suffix(5)))
        }
    }

    @Test func aRangeOutsideIsRefusedWithTheSize() async throws {
        try await built { client, path in
            let reply = try await client.send("GET", path, headers: ["range": "bytes=700000-"])
            expectRefusal(reply, 416)
            #expect(reply.headers["content-range"] == "bytes */700000")
        }
    }

    @Test func aCopyAtHandIsNotSentAgain() async throws {
        try await built { client, path in
            let tag = try #require(try await client.send("HEAD", path).headers["etag"])
            let reply = try await client.send("GET", path, headers: ["if-none-match": "\"x\", \(tag)"])
            #expect(reply.status == 304 && reply.body.isEmpty)
        }
    }

    private static let zstd = Array("stands for zstd".utf8)

    /// A service with one good build that has a copy for clients that take zstd.
    private func builtEncoded(
        sealed: [UInt8] = zstd, _ use: @escaping (RawClient, _ path: String) async throws -> Void
    ) async throws {
        let runner: TestRunner = { build in
            do {
                try build.putResult(Self.bytes)
                try build.putEncodedResult(Self.zstd, sealed: sealed)
                return nil
            } catch {
                return BuildFailure(.internal, "\(error)")
            }
        }
        try await TestService.run(runner: runner) { service in
            let id = try await service.client.submit(["nonce": "ab", "repo_url": "https://example.com/a"]).jobID
            _ = try await service.client.send("GET", "/build/\(id)/events")
            try await use(service.client, "/build/\(id)/result")
        }
    }

    @Test func whoTakesZstdGetsTheCopyWithATagOfItsOwn() async throws {
        try await builtEncoded { client, path in
            let accepting = ["accept-encoding": "gzip, zstd"]
            let plain = try await client.send("GET", path)
            let encoded = try await client.send("GET", path, headers: accepting)
            #expect(plain.body == Self.bytes && plain.headers["content-encoding"] == nil)
            #expect(encoded.body == Self.zstd && encoded.headers["content-encoding"] == "zstd")
            #expect(encoded.headers["content-length"] == "\(Self.zstd.count)", "the seal is not sent")
            #expect(encoded.headers["content-type"] == "application/gzip")
            #expect(plain.headers["vary"] == "Accept-Encoding" && encoded.headers["vary"] == "Accept-Encoding")
            let (first, second) = (try #require(plain.headers["etag"]), try #require(encoded.headers["etag"]))
            #expect(first != second && first.hasPrefix("\"") && second.hasPrefix("\""))
            for (tag, headers, status) in [
                (first, [:], 304), (second, [:], 200), (first, accepting, 200), (second, accepting, 304),
            ] {
                let headers = headers.merging(["if-none-match": tag]) { $1 }
                let reply = try await client.send("GET", path, headers: headers)
                #expect(reply.status == status && reply.headers["vary"] == "Accept-Encoding", "\(headers)")
            }
        }
    }

    @Test func rangesAreOfTheCodingThatIsServed() async throws {
        try await builtEncoded { client, path in
            let accepting = ["accept-encoding": "zstd"]
            let tag = try #require(try await client.send("HEAD", path, headers: accepting).headers["etag"])
            let headers = accepting.merging(["range": "bytes=7-", "if-range": tag]) { $1 }
            let rest = try await client.send("GET", path, headers: headers)
            #expect(rest.status == 206 && rest.body == Array(Self.zstd.dropFirst(7)))
            #expect(rest.headers["content-range"] == "bytes 7-\(Self.zstd.count - 1)/\(Self.zstd.count)")
            #expect(rest.headers["content-encoding"] == "zstd")
            // The tag of one coding does not continue the other.
            let other = try await client.send("GET", path, headers: ["range": "bytes=7-", "if-range": tag])
            #expect(other.status == 200 && other.body == Self.bytes)
            let outside = accepting.merging(["range": "bytes=\(Self.zstd.count)-"]) { $1 }
            expectRefusal(try await client.send("GET", path, headers: outside), 416)
        }
    }

    @Test func aDamagedCopyIsLeftForThePlainResult() async throws {
        try await builtEncoded(sealed: Array("another".utf8)) { client, path in
            let reply = try await client.send("GET", path, headers: ["accept-encoding": "zstd"])
            #expect(reply.status == 200 && reply.body == Self.bytes && reply.headers["content-encoding"] == nil)
        }
    }

    @Test func withoutACopyThePlainResultIsServed() async throws {
        try await built { client, path in
            let reply = try await client.send("GET", path, headers: ["accept-encoding": "zstd"])
            #expect(reply.status == 200 && reply.body == Self.bytes && reply.headers["content-encoding"] == nil)
        }
    }

    @Test func thereIsNoResultBeforeTheLastEvent() async throws {
        let gate = Gate()
        let runner: TestRunner = { build in
            try? build.putResult([1, 2, 3])
            try? build.log.append([.build("put")])
            try? await gate.wait()
            return BuildFailure(.attestation, "no")
        }
        try await TestService.run(runner: runner) { service in
            let client = service.client
            let id = try await client.submit(["nonce": "ab", "repo_url": "https://example.com/a"]).jobID
            try await client.open(RawClient.request("GET", "/build/\(id)/events")) { stream in
                try await stream.read(until: "put")
                expectRefusal(try await client.send("GET", "/build/\(id)/result"), 404)
                gate.open()
                try await stream.readToEnd()
            }
            expectRefusal(try await client.send("GET", "/build/\(id)/result"), 404)
        }
    }
}
