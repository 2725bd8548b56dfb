// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Testing

@Suite struct RetryScheduleTests {
    @Test func delaysDoubleUpToTheLongestAndEnd() {
        var schedule = RetrySchedule(first: .seconds(1), longest: .seconds(5), attempts: 5)
        let delays = (0..<7).map { _ in schedule.delay() }
        #expect(delays == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5), nil, nil])
    }

    @Test func progressBeginsAfresh() {
        var schedule = RetrySchedule(first: .seconds(1), longest: .seconds(5), attempts: 2)
        _ = schedule.delay()
        _ = schedule.delay()
        schedule.madeProgress()
        #expect(schedule.delay() == .seconds(1))
    }

    @Test(arguments: [(nil, 1), (-5, 1), (0, 1), (7, 7), (60, 60), (86400, 60), (Int.max, 60)])
    func theServersWishCountsUpToAMinute(retryAfter: Int?, seconds: Int) {
        var schedule = RetrySchedule(first: .seconds(1))
        #expect(schedule.delay(retryAfter: retryAfter) == .seconds(seconds))
    }

    @Test func manyFailuresDoNotOverflow() {
        var schedule = RetrySchedule(attempts: 10_000)
        for _ in 0..<9_999 { _ = schedule.delay() }
        #expect(schedule.delay() == .seconds(10))
    }
}
