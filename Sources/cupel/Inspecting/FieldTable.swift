// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Inspection
import StrictJSON

/// Inspected fields as a table for people: name, value, meaning. Parts are set in below their field.
///
/// Whatever a file says is shown without what a terminal would obey; what is long is cut, and `--json` has it whole.
struct FieldTable {
    /// Bytes of a value that are shown; the fields of every report and quote are shorter.
    private static let mostBytes = 64
    /// Characters of a text that are shown.
    private static let mostCharacters = 400
    /// Names in a column as wide as this are aligned with those beside them.
    private static let widestName = 28

    private var lines: [String] = []

    static func text(_ fields: [InspectedField], indentation: Int = 0) -> String {
        var table = FieldTable()
        table.add(fields, indentation: indentation)
        return table.lines.joined(separator: "\n")
    }

    private mutating func add(_ fields: [InspectedField], indentation: Int) {
        let width = min(Self.widestName, fields.map(\.name.count).max() ?? 0)
        for (index, field) in fields.enumerated() {
            let name = field.name.isEmpty ? "\(index + 1)" : field.name
            add(field, name: name, width: width, indentation: indentation)
        }
    }

    private mutating func add(_ field: InspectedField, name: String, width: Int, indentation: Int) {
        let margin = String(repeating: " ", count: indentation)
        let padded = name + String(repeating: " ", count: max(0, width - name.count))
        let content = [field.value.map(Self.text), field.meaning].compactMap(\.self).filter { !$0.isEmpty }
        let value = field.isList && field.parts.isEmpty ? ["none"] : content
        let line = margin + Console.plain(([padded] + value).joined(separator: "  "))
        lines.append(String(line.reversed().drop { $0 == " " }.reversed()))
        add(field.parts.filter { $0.value != .absent || $0.meaning != nil }, indentation: indentation + 2)
    }

    private static func text(_ value: InspectedValue) -> String {
        switch value {
        case .number(let number): String(number)
        case .hex(let number): "0x" + String(number, radix: 16)
        case .bytes(let bytes): text(bytes)
        case .text(let text): cut(text)
        case .flag(let flag): flag ? "yes" : "no "
        case .json(let json): cut(String(decoding: json.canonicalBytes, as: UTF8.self))
        case .absent: "none"
        case .malformed(let reason): "cannot be read: \(reason)"
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        guard bytes.count > mostBytes else { return bytes.isEmpty ? "" : Hex.encode(bytes) }
        return Hex.encode(bytes.prefix(mostBytes / 2)) + "… (\(bytes.count) bytes)"
    }

    private static func cut(_ text: String) -> String {
        text.count > mostCharacters ? text.prefix(mostCharacters) + "…" : text
    }
}
