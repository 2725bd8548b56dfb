// SPDX-License-Identifier: Apache-2.0

/// Writes DER (X.690), as little of it as certificates need.
enum DERWriter {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }

    static func sequence(_ elements: [UInt8]...) -> [UInt8] { element(0x30, elements.flatMap(\.self)) }
    static func sequence(of elements: [[UInt8]]) -> [UInt8] { element(0x30, elements.flatMap(\.self)) }
    static func set(_ elements: [UInt8]...) -> [UInt8] { element(0x31, elements.flatMap(\.self)) }

    /// With an explicit tag of the context.
    static func tagged(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { element(0xA0 | number, content) }

    /// Of content octets as they are.
    static func integer(octets: [UInt8]) -> [UInt8] { element(0x02, octets) }

    static func integer(_ value: UInt64) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = value
        repeat {
            octets.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        } while rest > 0
        return integer(octets: (octets[0] >= 0x80 ? [0] : []) + octets)
    }

    static func boolean(_ value: Bool) -> [UInt8] { element(0x01, [value ? 0xFF : 0]) }
    static func octets(_ bytes: [UInt8]) -> [UInt8] { element(0x04, bytes) }
    static func bits(_ bytes: [UInt8], unused: UInt8 = 0) -> [UInt8] { element(0x03, [unused] + bytes) }
    static func utf8(_ text: String) -> [UInt8] { element(0x0C, Array(text.utf8)) }
    static func ia5(_ text: String) -> [UInt8] { element(0x16, Array(text.utf8)) }
    static let null: [UInt8] = [0x05, 0x00]

    /// "1.2.840.113549".
    static func identifier(_ dotted: String) -> [UInt8] {
        let parts = dotted.split(separator: ".").compactMap { UInt64($0) }
        var octets: [UInt8] = []
        for part in [parts[0] * 40 + parts[1]] + parts.dropFirst(2) {
            var group = [UInt8(part & 0x7F)]
            var rest = part >> 7
            while rest > 0 {
                group.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            octets += group
        }
        return element(0x06, octets)
    }

    /// "20300101000000": GeneralizedTime, in UTC.
    static func time(_ digits: String) -> [UInt8] { element(0x18, Array("\(digits)Z".utf8)) }
}
