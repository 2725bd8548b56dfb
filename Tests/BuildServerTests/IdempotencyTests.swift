// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import HTTPTypes
import Storage
import StrictJSON
import Synchronization
import Testing

@Suite struct IdempotencyTests {
    private static let git = ["nonce": "ab", "repo_url": "https://example.com/a/project.git"]

    private static func key(_ values: [String]) throws -> String? {
        let name = try #require(HTTPField.Name("Idempotency-Key"))
        var fields = HTTPFields()
        for value in values { fields.append(HTTPField(name: name, value: value)) }
        return try IdempotencyKey(fields)?.text
    }

    @Test(arguments: [
        ("a", "a"), ("\"a\"", "a"), ("a,b", "a,b"), ("\"a\\\"b\\\\\"", "a\"b\\"), ("a\"", "a\""),
        (String(repeating: "~", count: 255), String(repeating: "~", count: 255)),
    ]) func aKeyIsBareOrInQuotationMarks(value: String, text: String) throws {
        #expect(try Self.key([value]) == text)
    }

    @Test func aRequestWithoutTheHeaderHasNoKey() throws { #expect(try Self.key([]) == nil) }

    @Test(arguments: [
        [""], ["\"\""], ["a b"], ["\"a b\""], ["\"a"], ["\""], ["\"a\"b"], ["\"a\\b\""], ["ä"],
        [String(repeating: "~", count: 256)], ["a", "a"],
    ]) func whatIsNoKeyIsRefused(values: [String]) throws {
        #expect(throws: Refusal.self) { try Self.key(values) }
    }

    private static func post(_ client: RawClient, _ fields: [String: String], key: String) async throws
        -> RawClient.Reply
    {
        let body = JSONValue.object(fields.mapValues { .string($0) }).canonicalBytes
        let headers = ["content-type": "application/json", "idempotency-key": key]
        return try await client.send("POST", "/build", headers: headers, body: body)
    }

    @Test(arguments: [true, false]) func sameKeySameJob(isDurable: Bool) async throws {
        let folder = TestFolder()
        let storage = try TestStorage(folder.path, isDurable: isDurable)
        let built = Mutex(0)
        let runner: TestRunner = { build in
            built.withLock { $0 += 1 }
            return await TestRunners.succeed(build)
        }
        var ids: Set<String> = []
        for _ in 1...2 {
            try await TestService.run(over: storage, { $0.queueLength = 0 }, runner: runner) { service in
                let replies = try await withThrowingTaskGroup(of: RawClient.Reply.self) { group in
                    for _ in 0..<50 { group.addTask { try await Self.post(service.client, Self.git, key: "k") } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.allSatisfy { $0.status == 202 && $0.headers["location"] == "/build/\($0.jobID)" })
                ids.formUnion(replies.map(\.jobID))
                #expect(try await service.client.send("GET", "/build/\(replies[0].jobID)/events").events.count == 4)
                #expect(service.leftovers.isEmpty)
            }
        }
        #expect(ids.count == 1 && built.withLock { $0 } == 1)
    }

    @Test func sameKeyOtherRequestIsAConflictThatLeavesNothing() async throws {
        try await TestService.run { service in
            let first = try await Self.post(service.client, Self.git, key: "k").jobID
            for change in [["nonce": "ac"], ["repo_ref": "main"], ["repo_url": "https://example.com/b"]] {
                let reply = try await Self.post(service.client, Self.git.merging(change) { $1 }, key: "\"k\"")
                expectRefusal(reply, 409)
            }
            expectRefusal(try await Self.post(service.client, ["nonce": "ab"], key: "k"), 400)
            #expect(try await service.store.allJobs().map(\.text) == [first])
            #expect(service.leftovers.isEmpty)
        }
    }

    /// A first submission that is refused gives the key back.
    @Test func aRefusedSubmissionKeepsNoKey() async throws {
        try await TestService.run { service in
            expectRefusal(try await Self.post(service.client, ["nonce": "ab"], key: "k"), 400)
            #expect(try await Self.post(service.client, Self.git, key: "k").status == 202)
        }
    }

    /// How many have each turn.
    private final class Present: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        func change(_ key: String, by count: Int) -> Int? {
            counts.withLock { counts in
                counts[key, default: 0] += count
                return counts[key]
            }
        }
    }

    @Test func turnsAreTakenOneAfterAnotherForOneKeyAndAtOneTimeForOthers() async throws {
        let turns = KeyedTurns()
        let present = Present()
        let gate = Gate()
        await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let key = "\(number % 5)"
                    try await turns.take(key) {
                        #expect(present.change(key, by: 1) == 1)
                        await Task.yield()
                        #expect(present.change(key, by: -1) == 0)
                        guard number != 3 else { throw CancellationError() }
                    }
                }
            }
            group.addTask {
                try await turns.take("other") { try await gate.wait() }
            }
            group.addTask { gate.open() }
            while let result = await group.nextResult() {
                if case .failure(let error) = result { #expect(error is CancellationError) }
            }
        }
    }
}
