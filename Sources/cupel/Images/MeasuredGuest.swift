// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding

/// One way of launching an image, and what hardware will report of it.
struct MeasuredGuest {
    let image: KnownImage
    /// "2 processors of EPYC-v4"; empty where there is nothing to choose.
    let way: String

    /// For people.
    var text: String {
        let title = "\(image.name) \(image.version), \(image.platform.rawValue)" + (way.isEmpty ? "" : ", \(way)")
        let names = image.registers.keys.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        let width = names.map(\.utf8.count).max() ?? 0
        let lines = names.map { name in
            let gap = String(repeating: " ", count: width - name.utf8.count)
            return "  \(name)\(gap)  \(Hex.encode(image.registers[name] ?? []))"
        }
        return ([Console.plain(title)] + lines).joined(separator: "\n")
    }
}
