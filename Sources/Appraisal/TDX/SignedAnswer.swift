// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// An answer of Intel's service: a JSON object with the signed value and its signature. The value is kept as it came,
/// for the signature covers its bytes.
struct SignedAnswer {
    let body: [UInt8]
    /// 64 bytes, r and s.
    let signature: [UInt8]

    /// Throws where the answer has other members than `member` and `signature`.
    init(_ bytes: [UInt8], member: String) throws(MalformedBytes) {
        let json = try JSONValue(parsing: bytes)
        guard let members = json.objectValue, Set(members.keys) == [member, "signature"] else {
            throw Self.malformed("", "an object of '\(member)' and 'signature' expected")
        }
        guard case .object? = members[member], let body = Self.value(of: member, in: bytes) else {
            throw Self.malformed(member, "an object expected")
        }
        signature = try Hex.decode(members["signature"]?.stringValue ?? "")
        guard signature.count == 64 else {
            throw Self.malformed("signature", "\(signature.count) bytes, expected 64 in hexadecimal")
        }
        self.body = body
    }

    /// The bytes of the object that a member of the outermost object holds, in a text that is known to be JSON.
    private static func value(of member: String, in bytes: [UInt8]) -> [UInt8]? {
        let key = Array("\"\(member)\"".utf8)
        var depth = 0
        var start: Int?
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let end = self.end(ofStringAt: index, in: bytes)
                if depth == 1, start == nil, bytes[index..<end].elementsEqual(key) {
                    start = bytes[end...].firstIndex(of: UInt8(ascii: "{"))
                }
                index = end
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 1, let start { return Array(bytes[start...index]) }
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func end(ofStringAt start: Int, in bytes: [UInt8]) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.count)
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "answer of Intel's service", field: field, offset: 0, reason: reason)
    }
}
