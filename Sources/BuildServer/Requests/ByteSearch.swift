// SPDX-License-Identifier: Apache-2.0

/// Finds a short run of bytes in a longer one.
enum ByteSearch {
    /// Where `needle`, not empty, first stands in `bytes`.
    static func first(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            needle.withUnsafeBufferPointer { needle in
                guard bytes.count >= needle.count else { return nil }
                for start in 0...(bytes.count - needle.count) where bytes[start] == needle[0] {
                    if (1..<needle.count).allSatisfy({ bytes[start + $0] == needle[$0] }) { return start }
                }
                return nil
            }
        }
    }

    /// Where `bytes`, which do not hold `needle`, end in what may become one; their count where they do not.
    static func startOfPartialMatch(_ needle: [UInt8], in bytes: [UInt8]) -> Int {
        let longest = min(needle.count - 1, bytes.count)
        for length in stride(from: longest, to: 0, by: -1)
        where bytes.suffix(length).elementsEqual(needle.prefix(length)) {
            return bytes.count - length
        }
        return bytes.count
    }
}
