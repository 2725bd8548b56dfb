// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import Testing

@Suite struct SNPCertificateTableTests {
    private static func row(_ first: UInt8, _ offset: UInt32, _ length: UInt32) -> [UInt8] {
        var writer = ByteWriter()
        writer.append([first])
        writer.zeros(15)
        writer.littleEndian(offset)
        writer.littleEndian(length)
        return writer.bytes
    }

    private static let end = [UInt8](repeating: 0, count: 24)

    @Test func entriesAreReadFromTheirPlaces() throws {
        let bytes = Self.row(1, 74, 2) + Self.row(2, 72, 2) + Self.end + [9, 8, 7, 6, 0, 0]
        let table = try SNPCertificateTable(decoding: bytes)
        #expect(table.entries.map(\.content) == [[7, 6], [9, 8]])
        #expect(table.entries.map { $0.guid[0] } == [1, 2] && table.content(.vcek) == nil)
        #expect(try SNPCertificateTable(decoding: Self.end).entries.isEmpty)
    }

    @Test(
        arguments: [
            ("no end", row(1, 24, 0)), ("an end cut short", Array(end.dropLast())), ("nothing", []),
            ("content beyond the bytes", row(1, 48, 1) + end), ("content in the table", row(1, 47, 1) + end + [0]),
            ("content far away", row(1, .max, .max) + end), ("a GUID twice", row(1, 72, 0) + row(1, 72, 0) + end),
            ("too many entries", (1...33).flatMap { row($0, 816, 0) } + end),
        ] as [(String, [UInt8])])
    func whatDoesNotFitIsRefused(name: String, bytes: [UInt8]) {
        #expect(throws: MalformedBytes.self) { try SNPCertificateTable(decoding: bytes) }
    }

    @Test func asManyEntriesAsAllowedAreRead() throws {
        let bytes = (1...32).flatMap { Self.row($0, 792, 0) } + Self.end
        #expect(try SNPCertificateTable(decoding: bytes).entries.count == 32)
    }
}
