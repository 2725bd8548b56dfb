// SPDX-License-Identifier: Apache-2.0
import Storage
import Testing

@Suite struct EventIndexTests {
    /// Event `n` begins at `n * 10`.
    private func index(of count: Int) -> EventIndex {
        var index = EventIndex()
        for number in 0..<count { index.add(start: number * 10) }
        return index
    }

    @Test(arguments: [0, 1, 255, 256, 257, 256 * 2048, 256 * 2048 + 1, 512 * 2048 + 7, 3_000_000])
    func everyEventIsNearAKnownOne(count: Int) {
        let index = index(of: count)
        #expect(index.count == count)
        for number in stride(from: 0, to: count, by: max(1, count / 997)) {
            guard let found = index.start(before: number) else {
                Issue.record("event \(number) of \(count) is not found")
                continue
            }
            #expect(found.offset == (number - found.skip) * 10)
            #expect(found.skip >= 0 && found.skip < max(256, 2 * count / EventIndex.capacity + 256))
        }
        #expect(index.start(before: count) == nil && index.start(before: -1) == nil)
    }

    @Test func aLongLogNeedsNoMoreMemoryThanAShortOne() {
        #expect(index(of: 5_000_000).places <= EventIndex.capacity)
    }
}
