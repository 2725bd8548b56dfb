// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Testing

@Suite struct CivilTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-03-17T10:00:00Z", 1_773_741_600),
            ("1969-12-31T23:59:59Z", -1), ("0000-03-01T00:00:00Z", -62_162_035_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799), ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] as [(String, Int64)])
    func secondsAndDatesAreTheSame(text: String, seconds: Int64) {
        #expect(CivilTime(rfc3339: text)?.secondsSince1970 == seconds)
        #expect(CivilTime(secondsSince1970: seconds).rfc3339 == text)
    }

    @Test(arguments: [
        "", "2026-03-17", "2026-03-17T10:00:00", "2026-03-17 10:00:00Z", "2026-03-17T10:00:00+00:00",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01T00:00:0٠Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00z",
    ])
    func whatIsNoDateInUTCIsNotRead(text: String) { #expect(CivilTime(rfc3339: text) == nil) }

    @Test(arguments: [Int64.min, .min + 1, .max, -62_162_035_201])
    func noNumberTraps(seconds: Int64) { #expect(!CivilTime(secondsSince1970: seconds).rfc3339.isEmpty) }
}
