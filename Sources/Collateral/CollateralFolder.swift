// SPDX-License-Identifier: Apache-2.0
package import Appraisal
import Foundation

/// A folder of collateral, which travels with a bundle or by itself: the files of ``Appraisal/CollateralSet/files``.
package enum CollateralFolder {
    /// Writes `set` into a folder, which is made where it is missing. Files that an earlier set left behind are removed,
    /// others are left alone. Returns the names, sorted.
    @discardableResult
    package static func write(_ set: CollateralSet, to folder: String) throws(CollateralError) -> [String] {
        try CacheFile.makeFolder(folder, mode: 0o755)
        let files = set.files
        for (name, bytes) in files { try CacheFile.write(bytes, to: "\(folder)/\(name)", mode: 0o644) }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard files[name] == nil, isOurs(name) else { continue }
            unlink("\(folder)/\(name)")
        }
        return files.keys.sorted()
    }

    /// Whether a name is one that ``write(_:to:)`` gives to what is fetched.
    private static func isOurs(_ name: String) -> Bool {
        let forms = [("amd-cert-", ".der"), ("amd-crl-", ".der"), ("intel-", ".json")]
        return forms.contains { prefix, suffix in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
            let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
            return digits.utf8.count == 16 && digits.allSatisfy { $0.isHexDigit && !$0.isUppercase }
        }
    }
}
