// SPDX-License-Identifier: Apache-2.0

/// How far two names are apart: for errors that name the key that was probably meant.
package enum Spelling {
    /// The name that is nearest to `name`, the first of several; `nil` where there is none.
    package static func nearest(to name: String, among known: some Sequence<String>) -> String? {
        known.min { distance($0, name) < distance($1, name) }
    }

    /// Levenshtein: letters to insert, remove or replace. Names are cut after 200 letters.
    package static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.prefix(200))
        var row = Array(0...right.count)
        for (line, letter) in left.prefix(200).enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in right.indices {
                let substitution = diagonal + (letter == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
