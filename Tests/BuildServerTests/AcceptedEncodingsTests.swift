// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Testing

@Suite struct AcceptedEncodingsTests {
    @Test(arguments: [
        (nil, false), ("", false), ("gzip, deflate, br", false), ("*", false), ("*;q=1", false), ("identity", false),
        ("zstd", true), ("ZStd", true), ("gzip, deflate, br, zstd", true), ("zstd;q=0.001", true), ("zstd;q=1", true),
        ("zstd;q=1.000", true), ("zstd ; q=0.5", true), ("\tzstd;Q=0.5 ,gzip", true), ("zstd, *;q=0", true),
        ("identity;q=0.5, zstd;q=0.5", true), ("identity;q=0, zstd;q=0.1", true), (",,zstd,", true),
        ("zstd;q=0", false), ("zstd;q=0.000", false), ("zstd;q=0., gzip", false), ("identity, zstd;q=0.9", false),
        ("zstd, zstd;q=0", false), ("zstd;q=0, zstd", false), ("zstd;q=1.001", false), ("zstd;q=2", false),
        ("zstd;q=0.0001", false), ("zstd;q=-1", false), ("zstd;q=", false), ("zstd;q", false), ("zstd;", false),
        ("zstd;level=3", false), ("zstd;q=1;q=1", false), ("zstd;q=0x1", false), ("zstandard", false),
        ("x-zstd", false),
    ])
    func zstdIsForThoseWhoNameIt(header: String?, expected: Bool) {
        #expect(AcceptedEncodings(header: header).prefersZstd == expected, "\(header ?? "no header")")
    }
}
