// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What a kernel's file says of itself (Linux, `Documentation/arch/x86/boot.rst`).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0x202 | 4 | header: "HdrS" |
/// | 0x206 | 2 | version of the protocol |
/// | 0x20E | 2 | kernel_version: where the text stands, less 0x200 |
public struct LinuxKernel: Hashable, Sendable {
    /// The text's first word: "6.1.0-30-cloud-amd64".
    public let release: String
    public let major: Int
    public let minor: Int

    private static let maximumRelease = 64

    /// Throws where it is no kernel for x86, or does not say its version.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count > 0x210, Array(bytes[0x202..<0x206]) == Array("HdrS".utf8) else {
            throw Self.malformed("header", 0x202, "no 'HdrS'")
        }
        let place = Int(bytes[0x20E]) | Int(bytes[0x20F]) << 8
        guard place > 0, place + 0x200 < bytes.count else {
            throw Self.malformed("kernel_version", 0x20E, "no version")
        }
        let text = bytes[(place + 0x200)...].prefix(Self.maximumRelease + 1).prefix { $0 > 0x20 && $0 < 0x7F }
        let numbers = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.count <= Self.maximumRelease, numbers.count >= 2, let major = Self.number(numbers[0]),
            let minor = Self.number(numbers[1])
        else { throw Self.malformed("kernel_version", place + 0x200, "no version such as '6.1.0'") }
        release = String(decoding: text, as: UTF8.self)
        (self.major, self.minor) = (major, minor)
    }

    /// The digits with which it begins.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        Int(String(decoding: text.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }

    private static func malformed(_ field: String, _ offset: Int, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "Linux kernel", field: field, offset: offset, reason: reason)
    }
}
