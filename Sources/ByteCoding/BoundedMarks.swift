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
            marks = Self.isMark(scalar) ? marks + 1 : 0
            if marks > Self.maximumMarks { return false }
        }
        return true
    }

    /// The text with each mark that is one too many in a row replaced by U+FFFD; itself where there is none.
    public var boundingMarks: String {
        guard !hasBoundedMarks else { return self }
        var bounded = UnicodeScalarView()
        var marks = 0
        for scalar in unicodeScalars {
            marks = Self.isMark(scalar) ? marks + 1 : 0
            if marks > Self.maximumMarks { marks = 0 }
            bounded.append(Self.isMark(scalar) && marks == 0 ? "\u{FFFD}" : scalar)
        }
        return String(bounded)
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x300 && scalar.properties.canonicalCombiningClass != .notReordered
    }
}
