// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func theVectorsOfRFC4648Agree(bytes: String, text: String) throws {
        #expect(Base64.encode(Array(bytes.utf8)) == text)
        #expect(try Base64.decode(text) == Array(bytes.utf8))
        let bare = String(text.prefix { $0 != "=" })
        #expect(Base64.encode(Array(bytes.utf8), alphabet: .url) == bare)
        #expect(try Base64.decode(bare, alphabet: .url) == Array(bytes.utf8))
        #expect(try Base64.decode(text, alphabet: .url) == Array(bytes.utf8))
    }

    @Test func theAlphabetsDifferInTwoCharacters() throws {
        let bytes: [UInt8] = [0xFB, 0xEF, 0xFF]
        #expect(Base64.encode(bytes) == "++//")
        #expect(Base64.encode(bytes, alphabet: .url) == "--__")
        #expect(throws: MalformedBytes.self) { try Base64.decode("--__") }
        #expect(throws: MalformedBytes.self) { try Base64.decode("++//", alphabet: .url) }
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "Zm9v=", "Zm9vY", "=", "====", "Zg==Zg==", "Z=g=", "Zm 9v", "Zm9v\n",
        " Zm9v", "Zm9*", "Zm9é", "Zh==", "Zm9=", "Zm9vYmF=",
    ])
    func sloppyTextIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try Base64.decode(text) }
    }

    @Test func everyByteComesBack() throws {
        for length in 0...100 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(try Base64.decode(Base64.encode(bytes, alphabet: .url), alphabet: .url) == bytes)
        }
    }
}
