// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

extension TPMPCRValues {
    /// Reads `{"sha256": {"0": "…", "7": "…"}}`. Throws at unknown banks, registers that are not written as numbers
    /// from 0 to 31 without leading zeros, and values of another length than the bank's.
    public init(_ json: JSONValue) throws(MalformedBytes) {
        self.init()
        guard let banks = json.objectValue else { throw Self.malformed("pcrs", "an object expected") }
        for (name, content) in banks {
            guard let bank = TPMHashAlgorithm.allCases.first(where: { $0.fieldName == name }) else {
                throw Self.malformed("pcrs", "'\(name)' is no bank that is known")
            }
            guard let values = content.objectValue else { throw Self.malformed(name, "an object expected") }
            for (text, value) in values {
                guard let register = Int(text), (0..<32).contains(register), String(register) == text else {
                    throw Self.malformed(name, "'\(text)' is no register")
                }
                guard let hex = value.stringValue else { throw Self.malformed(name, "a string expected") }
                let bytes = try Hex.decode(hex)
                guard bytes.count == bank.digestSize else {
                    throw Self.malformed(name, "\(bytes.count) bytes, expected \(bank.digestSize)")
                }
                self[bank, register] = bytes
            }
        }
    }

    public var json: JSONValue {
        var banks: [String: JSONValue] = [:]
        for bank in TPMHashAlgorithm.allCases {
            let values = registers(of: bank).map { ("\($0)", JSONValue.string(Hex.encode(self[bank, $0] ?? []))) }
            if !values.isEmpty { banks[bank.fieldName] = .object(Dictionary(uniqueKeysWithValues: values)) }
        }
        return .object(banks)
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "PCR values", field: field, offset: 0, reason: reason)
    }
}

extension TPMHashAlgorithm {
    /// As evidence spells it: "sha256".
    var fieldName: String {
        switch self {
        case .sha1: "sha1"
        case .sha256: "sha256"
        case .sha384: "sha384"
        case .sha512: "sha512"
        }
    }
}
