// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// An entry as the central directory of a ZIP file states it (PKWARE APPNOTE, section 4.3.12).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | signature |
/// | 4 | 4 | versions |
/// | 8 | 2 | flags |
/// | 10 | 2 | method |
/// | 12 | 8 | time, date, check sum |
/// | 20 | 4 | compressed size |
/// | 24 | 4 | size |
/// | 28 | 6 | lengths of name, extra field and comment |
/// | 34 | 8 | disk and attributes |
/// | 42 | 4 | offset of the local header |
struct ZipDirectoryRecord {
    static let size = 46

    let flags: UInt16
    let method: UInt16
    let nameLength: Int
    let extraLength: Int
    let commentLength: Int
    private let compressedSize: UInt32
    private let uncompressedSize: UInt32
    private let offset: UInt32

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "ZIP directory")
        guard try cursor.uint32(0, "signature") == 0x0201_4B50 else {
            throw cursor.malformed("signature", "an entry is missing")
        }
        _ = try cursor.uint32(4, "versions")
        flags = try cursor.uint16(8, "flags")
        method = try cursor.uint16(10, "method")
        _ = try cursor.bytes(12, 8, "time, date, check sum")
        compressedSize = try cursor.uint32(20, "compressed size")
        uncompressedSize = try cursor.uint32(24, "size")
        nameLength = Int(try cursor.uint16(28, "name length"))
        extraLength = Int(try cursor.uint16(30, "extra field length"))
        commentLength = Int(try cursor.uint16(32, "comment length"))
        _ = try cursor.bytes(34, 8, "disk and attributes")
        offset = try cursor.uint32(42, "offset of the local header")
        try cursor.end(Self.size)
    }

    /// Where the local header stands, and how many bytes the content has; from the extra field where 32 bits do not do
    /// (section 4.5.3).
    func place(_ extra: [UInt8]) throws(MalformedBytes) -> (offset: UInt64, compressedSize: UInt64) {
        var large = ByteCursor(try Self.zip64(extra), format: "ZIP64 extra field")
        if uncompressedSize == .max { _ = try large.bytes(8, "size") }
        let size = compressedSize == .max ? try Self.uint64(&large) : UInt64(compressedSize)
        return (offset == .max ? try Self.uint64(&large) : UInt64(offset), size)
    }

    private static func uint64(_ cursor: inout ByteCursor) throws(MalformedBytes) -> UInt64 {
        let low = try cursor.uint32("low half")
        return UInt64(try cursor.uint32("high half")) << 32 | UInt64(low)
    }

    private static func zip64(_ extra: [UInt8]) throws(MalformedBytes) -> [UInt8] {
        var cursor = ByteCursor(extra, format: "ZIP extra field")
        while cursor.remaining >= 4 {
            let (kind, length) = (try cursor.uint16("kind"), try cursor.uint16("length"))
            let body = try cursor.bytes(Int(length), "content")
            if kind == 1 { return body }
        }
        return []
    }
}

/// An entry as it states itself, before its content (section 4.3.7).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | signature |
/// | 4 | 2 | version |
/// | 6 | 2 | flags |
/// | 8 | 2 | method |
/// | 10 | 16 | time, date, check sum, sizes |
/// | 26 | 4 | lengths of name and extra field |
struct ZipLocalHeader {
    static let size = 30

    let flags: UInt16
    let method: UInt16
    let nameLength: Int
    let extraLength: Int

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "ZIP entry")
        guard try cursor.uint32(0, "signature") == 0x0403_4B50 else {
            throw cursor.malformed("signature", "there is no entry where the directory says")
        }
        _ = try cursor.uint16(4, "version")
        flags = try cursor.uint16(6, "flags")
        method = try cursor.uint16(8, "method")
        _ = try cursor.bytes(10, 16, "time, date, check sum, sizes")
        nameLength = Int(try cursor.uint16(26, "name length"))
        extraLength = Int(try cursor.uint16(28, "extra field length"))
        try cursor.end(Self.size)
    }
}

/// Where the central directory stands (sections 4.3.14 to 4.3.16).
struct ZipEnd {
    static let size = 22
    static let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    static let largeSize = 56
    static let locatorSize = 20

    let count: UInt64
    let directorySize: UInt64
    let directoryOffset: UInt64
    /// Whether a field is too small for its number, which then stands in the ZIP64 record.
    let isLarge: Bool

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "ZIP end")
        _ = try cursor.uint32(0, "signature")
        let disks = try cursor.uint32(4, "disks")
        let here = try cursor.uint16(8, "entries of this disk")
        let count = try cursor.uint16(10, "entries")
        let size = try cursor.uint32(12, "directory size")
        let offset = try cursor.uint32(16, "directory offset")
        guard disks == 0, here == count else { throw cursor.malformed("disks", "it is one of several files") }
        self.count = UInt64(count)
        directorySize = UInt64(size)
        directoryOffset = UInt64(offset)
        isLarge = count == .max || size == .max || offset == .max
    }

    init(decodingLarge bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "ZIP64 end")
        guard try cursor.uint32(0, "signature") == 0x0606_4B50 else {
            throw cursor.malformed("signature", "there is none")
        }
        _ = try cursor.bytes(4, 28, "versions, disks, entries of this disk")
        count = try cursor.uint64(32, "entries")
        directorySize = try cursor.uint64(40, "directory size")
        directoryOffset = try cursor.uint64(48, "directory offset")
        isLarge = true
        try cursor.end(Self.largeSize)
    }
}
