// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Testing

@Suite struct JobReadsTests {
    private let job = JobID(high: 1, low: 2)

    @Test func whatIsReadIsNotRemoved() async {
        let reads = JobReads()
        var first = reads.begin(job)
        var second = reads.begin(job)
        #expect(first != nil && second != nil)
        #expect(await !reads.withoutReaders(of: job) { Issue.record("removed under its readers") })
        first = nil
        #expect(await !reads.withoutReaders(of: job) { Issue.record("removed under a reader") })
        second = nil
        #expect(await reads.withoutReaders(of: job) {})
    }

    @Test func whatIsBeingRemovedIsNotRead() async {
        let reads = JobReads()
        let isRemoved = await reads.withoutReaders(of: job) {
            #expect(reads.begin(job) == nil)
            #expect(reads.begin(JobID(high: 3, low: 4)) != nil)
            #expect(await !reads.withoutReaders(of: job) { Issue.record("removed twice") })
        }
        #expect(isRemoved && reads.begin(job) != nil)
    }

    @Test func aRemovalThatFailsLetsReadersIn() async {
        let reads = JobReads()
        await #expect(throws: CancellationError.self) {
            _ = try await reads.withoutReaders(of: job) { throw CancellationError() }
        }
        #expect(reads.begin(job) != nil)
    }
}
