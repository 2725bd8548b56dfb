// SPDX-License-Identifier: Apache-2.0
import BuildClient
import TestServers
import Testing

@Suite struct CancelTests {
    private let job = "0123456789abcdef0123456789abcdef"

    @Test func aJobIsDeleted() async throws {
        let (isCancelled, requests) = try await talk([Reply.json(200, "{}")]) { client in
            try await client.cancel(RemoteJob(id: job))
        }
        #expect(isCancelled)
        #expect(requests.map(\.line) == ["DELETE /build/\(job) HTTP/1.1"])
    }

    @Test func aJobThatWasOverIsSaidToBe() async throws {
        let (isCancelled, _) = try await talk([Reply.status(409, "over")]) { try await $0.cancel(RemoteJob(id: job)) }
        #expect(!isCancelled)
    }

    @Test func aServerThatIsBusyOrFallsSilentIsAskedAgain() async throws {
        let replies = [Reply.status(503, "unsettled"), [], Reply.json(200, "{}")]
        let (isCancelled, requests) = try await talk(replies) { try await $0.cancel(RemoteJob(id: job)) }
        #expect(isCancelled && requests.count == 3)
    }

    @Test(arguments: [404, 405]) func anotherAnswerIsFinal(status: Int) async throws {
        let (error, requests) = try await talk([Reply.status(status, "no")]) { client in
            await #expect(throws: BuildClientError.self) { try await client.cancel(RemoteJob(id: job)) }
        }
        #expect(error?.code == .refused && requests.count == 1)
    }

    @Test func aServerThatStaysAwayIsGivenUp() async throws {
        let (error, requests) = try await talk(Array(repeating: Reply.status(503, "no"), count: 9)) { client in
            await #expect(throws: BuildClientError.self) { try await client.cancel(RemoteJob(id: job)) }
        }
        #expect(error?.code == .busy && requests.count == 5)
    }
}
