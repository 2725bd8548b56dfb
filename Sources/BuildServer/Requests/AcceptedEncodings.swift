// SPDX-License-Identifier: Apache-2.0

/// The content codings that a request takes (RFC 9110, section 12.5.3), as far as they decide between zstd and none.
package struct AcceptedEncodings: Hashable, Sendable {
    /// Thousandths; `nil` for what is not named.
    private var weights: [String: Int] = [:]

    /// Of a coding that is named twice the lower weight counts; a malformed weight is 0.
    package init(header: String?) {
        for entry in (header ?? "").split(separator: ",") {
            let parts = entry.split(separator: ";", omittingEmptySubsequences: false).map(Self.trim)
            guard let name = parts.first?.lowercased(), !name.isEmpty else { continue }
            let weight = parts.count == 1 ? 1000 : parts.count == 2 ? Self.weight(parts[1]) : 0
            weights[name] = min(weight, weights[name] ?? weight)
        }
    }

    /// Only where zstd is named: `*` is sent by clients that decode nothing.
    package var prefersZstd: Bool {
        guard let zstd = weights["zstd"], zstd > 0 else { return false }
        return zstd >= weights["identity"] ?? 0
    }

    private static func weight(_ parameter: Substring) -> Int {
        let digits = Array(parameter.lowercased().utf8)
        guard digits.starts(with: "q=0".utf8) || digits.starts(with: "q=1".utf8) else { return 0 }
        let fraction = digits.dropFirst(4)
        guard digits.count == 3 || digits[3] == UInt8(ascii: "."), fraction.count <= 3,
            fraction.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return 0 }
        let thousandths = zip(fraction, [100, 10, 1]).reduce(0) { $0 + Int($1.0 - UInt8(ascii: "0")) * $1.1 }
        guard digits[2] == UInt8(ascii: "1") else { return thousandths }
        return thousandths == 0 ? 1000 : 0
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
