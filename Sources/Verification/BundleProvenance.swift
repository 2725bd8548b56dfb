// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Provenance
internal import StrictJSON

/// Whose provenance a bundle holds: that decides how it is bound and what it must say.
enum BundleProvenance {
    /// Bound by its raw bytes, which are canonical.
    case cupel(Statement, BuildRecord)
    /// Bound by its raw bytes, or by what remains of them without white space.
    case kettle(Statement)
    /// A statement of another builder.
    case unsupported(Statement, buildType: String)
    case malformed(MalformedBytes)

    /// What every build type of Kettle begins with.
    private static let kettleBase = "https://lunal.dev/kettle/"

    init(parsing bytes: [UInt8]) {
        do {
            let statement = try Statement(parsing: bytes)
            let buildType = statement.predicate["buildDefinition"]?["buildType"]?.stringValue ?? ""
            if buildType.hasPrefix(BuildFacts.buildTypeBase) {
                self = .cupel(statement, try BuildRecord(statement))
            } else if buildType.hasPrefix(Self.kettleBase) {
                self = .kettle(statement)
            } else {
                self = .unsupported(statement, buildType: buildType)
            }
        } catch {
            self = .malformed(error)
        }
    }

    var statement: Statement? {
        switch self {
        case .cupel(let statement, _), .kettle(let statement), .unsupported(let statement, _): statement
        case .malformed: nil
        }
    }

    var record: BuildRecord? { if case .cupel(_, let record) = self { record } else { nil } }
}

/// JSON without the white space between its tokens; keys, strings and numbers stay as they are spelt.
package enum CompactJSON {
    /// - Parameter bytes: a JSON text that parses.
    package static func bytes(of bytes: [UInt8]) -> [UInt8] {
        var compact: [UInt8] = []
        compact.reserveCapacity(bytes.count)
        var isInString = false
        var isEscaped = false
        for byte in bytes {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                continue
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            }
            compact.append(byte)
        }
        return compact
    }
}
