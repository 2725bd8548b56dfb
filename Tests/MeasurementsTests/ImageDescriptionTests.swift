// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Measurements
import StrictJSON
import Testing

@Suite struct ImageDescriptionTests {
    private static let hash = Digest256(of: Array("root".utf8))
    private static let files = Dictionary(
        uniqueKeysWithValues: ImageDescription.Name.all.map {
            ($0, ImageDescription.File(size: 8192, sha256: Digest256(of: Array($0.utf8))))
        })
    static let image = ImageDescription(
        name: "cupel-guest", version: "1.2.0", kernelRelease: "6.1.0-30-cloud-amd64",
        commandLine: "console=ttyS0 quiet cupel.roothash=\(hash) cupel.hashoffset=4096", rootHash: hash,
        hashOffset: 4096, files: files)

    private static func changed(_ change: (inout [String: JSONValue]) -> Void) throws -> [UInt8] {
        var members = try #require(JSONValue(parsing: image.canonicalBytes).objectValue)
        change(&members)
        return JSONValue.object(members).canonicalBytes
    }

    @Test func whatIsWrittenReadsTheSame() throws {
        let bytes = Self.image.canonicalBytes
        #expect(try ImageDescription(parsing: bytes) == Self.image)
        #expect(try JSONValue(parsing: bytes).canonicalBytes == bytes)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(#"{"commandLine":"console=ttyS0 quiet cupel"#))
        #expect(String(decoding: bytes, as: UTF8.self).hasSuffix(#""version":1}"#))
    }

    @Test(arguments: [
        "version", "name", "imageVersion", "kernelRelease", "commandLine", "rootHash", "hashOffset", "files",
    ])
    func aMemberThatIsMissingOrOfAnotherTypeIsRefused(name: String) throws {
        for value: JSONValue? in [nil, .null, true, [], ["a": 1]] {
            let bytes = try Self.changed { $0[name] = value }
            let error = #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
            #expect(error?.field == name || name == "files")
        }
    }

    @Test func otherVersionsAndUnknownMembersAreRefused() throws {
        for (key, value): (String, JSONValue) in [("version", 2), ("version", "1"), ("more", 1), ("Name", "x")] {
            let bytes = try Self.changed { $0[key] = value }
            let error = #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
            #expect(error?.field == key)
        }
        let twice = Array(#"{"version":1,"version":1}"#.utf8)
        #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: twice) }
        let long = Self.image.canonicalBytes + [UInt8](repeating: 0x20, count: ImageDescription.maximumSize)
        #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: long) }
    }

    @Test(arguments: ImageDescription.Name.all)
    func everyFileIsNeeded(name: String) throws {
        let bytes = try Self.changed { members in
            members["files"] = .object((members["files"]?.objectValue ?? [:]).filter { $0.key != name })
        }
        let error = #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
        #expect(error?.reason.contains(name) == true)
    }

    @Test(arguments: ["../vmlinuz", "a/b", "/a", "", ".", "..", "a\0"])
    func namesThatLeadElsewhereAreRefused(name: String) throws {
        let bytes = try Self.changed { members in
            var files = members["files"]?.objectValue ?? [:]
            files[name] = ["size": 1, "sha256": .string(Self.hash.hex)]
            members["files"] = .object(files)
        }
        #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
    }

    @Test(arguments: [
        "quiet", "cupel.roothash=\(hash)", "cupel.hashoffset=4096",
        "cupel.roothash=\(hash) cupel.hashoffset=4097", "cupel.roothash=00\(hash) cupel.hashoffset=4096",
        "cupel.roothash=\(hash) cupel.roothash=\(hash) cupel.hashoffset=4096",
        "cupel.roothash=\(hash) cupel.hashoffset=4096\n", "cupel.roothash=\(hash) cupel.hashoffset=4096 \u{E9}",
        "cupel.roothash=\(hash) cupel.hashoffset=4096 " + String(repeating: "a", count: 2048),
    ])
    func aCommandLineThatNamesAnotherRootIsRefused(line: String) throws {
        let bytes = try Self.changed { $0["commandLine"] = .string(line) }
        let error = #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
        #expect(error?.field == "commandLine")
    }

    @Test func theHashTreeLiesInTheRootFile() throws {
        let line = "cupel.roothash=\(Self.hash) cupel.hashoffset=8192"
        let bytes = try Self.changed { ($0["hashOffset"], $0["commandLine"]) = (8192, .string(line)) }
        let error = #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
        #expect(error?.field == "hashOffset")
        for number: JSONValue in [0, -1, .number(1.5), .number(1e17)] {
            let bytes = try Self.changed { $0["hashOffset"] = number }
            #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
        }
    }

    @Test(arguments: ["", "ab", String(repeating: "AB", count: 32), String(repeating: "ab", count: 33)])
    func digestsAreSixtyFourLowerCaseDigits(text: String) throws {
        let bytes = try Self.changed { $0["rootHash"] = .string(text) }
        let error = #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: bytes) }
        #expect(error?.field == "rootHash")
        let other = try Self.changed { members in
            var files = members["files"]?.objectValue ?? [:]
            files["initrd"] = ["size": 1, "sha256": .string(text)]
            members["files"] = .object(files)
        }
        #expect(throws: MalformedBytes.self) { try ImageDescription(parsing: other) }
    }
}
