// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Characters that combine with the one before them, in a row; people's languages need far fewer (UAX #15,
    /// section 13, "Stream-Safe Text Format").
    public static let maximumMarks = 30

    /// Whether at most ``maximumMarks`` characters that combine stand in a row.
    ///
    /// Swift puts such a row in order whenever it hashes or compares text, in a time that grows with the square of its
    /// length: a row of some megabytes takes hours. Text from strangers must be looked at before it becomes a key.
    public var hasBoundedMarks: Bool {
        // The first of them, U+0300, is CC 80 in UTF-8.
        guard utf8.contains(where: { $0 >= 0xCC }) else { return true }
        var marks = 0
        for scalar in unicodeScalars {
            let isMark = scalar.value >= 0x300 && scalar.properties.canonicalCombiningClass != .notReordered
            marks = isMark ? marks + 1 : 0
            if marks > Self.maximumMarks { return false }
        }
        return true
    }
}
