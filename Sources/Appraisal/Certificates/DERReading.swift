// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import SwiftASN1

/// What reading certificates and lists has in common.
enum DERReading {
    struct Missing: Error, CustomStringConvertible { let description = "an element is missing" }

    struct Refused: Error, CustomStringConvertible {
        let description: String
        init(_ reason: String) { description = reason }
    }

    /// Parses, and says in our words what is wrong.
    static func read<Value>(
        _ format: String, _ bytes: [UInt8], maximumSize: Int, _ body: (ASN1Node) throws -> Value
    ) throws(MalformedBytes) -> Value {
        guard bytes.count <= maximumSize else {
            throw MalformedBytes(
                format: format, offset: maximumSize, reason: "\(bytes.count) bytes, at most \(maximumSize)")
        }
        do {
            return try body(try DER.parse(bytes))
        } catch let error as MalformedBytes {
            throw error
        } catch {
            throw MalformedBytes(format: format, offset: 0, reason: "not the DER expected: \(error)")
        }
    }

    static func next(_ nodes: inout ASN1NodeCollection.Iterator) throws -> ASN1Node {
        guard let node = nodes.next() else { throw Missing() }
        return node
    }

    /// A BIT STRING of whole bytes.
    static func wholeBits(_ nodes: inout ASN1NodeCollection.Iterator) throws -> [UInt8] {
        let bits = try ASN1BitString(derEncoded: next(&nodes))
        guard bits.paddingBits == 0 else { throw Refused("a signature that is not of whole bytes") }
        return Array(bits.bytes)
    }

    /// The content octets of an INTEGER, as they came: serial numbers can be negative, or longer than any number here.
    static func integerOctets(_ nodes: inout ASN1NodeCollection.Iterator) throws -> [UInt8] {
        let node = try next(&nodes)
        guard node.identifier == .integer, case .primitive(let octets) = node.content, let first = octets.first else {
            throw Refused("a serial number that is no INTEGER")
        }
        if let second = octets.dropFirst().first, first == (second < 0x80 ? 0 : 0xFF) {
            throw Refused("a serial number with needless octets")
        }
        return Array(octets)
    }

    /// UTCTime or GeneralizedTime, in seconds since 1970.
    static func time(_ node: ASN1Node) throws -> Int64 {
        if node.identifier == .utcTime {
            let time = try UTCTime(derEncoded: node)
            return CivilTime(
                year: time.year, month: time.month, day: time.day, hour: time.hours, minute: time.minutes,
                second: time.seconds
            ).secondsSince1970
        }
        let time = try GeneralizedTime(derEncoded: node)
        return CivilTime(
            year: time.year, month: time.month, day: time.day, hour: time.hours, minute: time.minutes,
            second: time.seconds
        ).secondsSince1970
    }
}
