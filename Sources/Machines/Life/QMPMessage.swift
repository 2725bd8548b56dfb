// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import StrictJSON

/// What QEMU says on its monitor (QEMU, "QMP Protocol Specification": one JSON object a line).
package enum QMPMessage: Hashable, Sendable {
    /// The first message.
    case greeting
    /// The answer to the command of that number.
    case success(id: Int, JSONValue)
    case failure(id: Int, String)
    /// Something that happened: "SHUTDOWN".
    case event(String, JSONValue)

    package init(parsing line: [UInt8]) throws(MalformedBytes) {
        let value = try JSONValue(parsing: line)
        if value["QMP"] != nil {
            self = .greeting
        } else if let name = value["event"]?.stringValue {
            self = .event(name, value["data"] ?? [:])
        } else if let id = value["id"]?.integerValue, let result = value["return"] {
            self = .success(id: id, result)
        } else if let id = value["id"]?.integerValue, let text = value["error"]?["desc"]?.stringValue {
            self = .failure(id: id, text)
        } else {
            throw MalformedBytes(format: "QMP", offset: 0, reason: "no message that QEMU sends")
        }
    }

    /// A command's line.
    package static func command(_ name: String, _ arguments: JSONValue, id: Int) -> [UInt8] {
        let command: JSONValue = ["execute": .string(name), "arguments": arguments, "id": .integer(id)]
        return command.canonicalBytes + [0x0A]
    }
}

/// Cuts QMP's bytes into lines, of which none may be longer than ``maximumLength``.
package struct QMPLines: Sendable {
    /// The longest answer to what is asked here has a few KiB.
    package static let maximumLength = 256 << 10

    private var pending: [UInt8] = []

    package init() {}

    package mutating func messages(from bytes: UnsafeRawBufferPointer) throws(MalformedBytes) -> [QMPMessage] {
        var messages: [QMPMessage] = []
        for byte in bytes {
            guard byte == 0x0A else {
                pending.append(byte)
                guard pending.count <= Self.maximumLength else {
                    throw MalformedBytes(
                        format: "QMP", offset: pending.count, reason: "a line of more than \(Self.maximumLength) bytes")
                }
                continue
            }
            if pending.last == 0x0D { pending.removeLast() }
            if !pending.isEmpty { messages.append(try QMPMessage(parsing: pending)) }
            pending.removeAll(keepingCapacity: true)
        }
        return messages
    }
}
