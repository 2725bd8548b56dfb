// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// The central directory of a ZIP file, compared with the entries that it names: some programs go by the one, some by
/// the others, and all must find the same files.
struct ZipDirectory {
    /// Flags that change how an entry is read: encryption, and the encoding of its name.
    private static let readingFlags: UInt16 = 1 << 0 | 1 << 11

    private let window: FileWindow
    /// From an entry's local header to the end of its content.
    private var places: [Range<UInt64>] = []

    /// Throws `SourceError` unless the directory is the last thing in the file, each of its entries stands in the file
    /// under the same name, none shares a byte with another, and nothing stands before the first.
    static func check(_ file: OpenFile, limits: BuildLimits) throws(BuildFailure) {
        var directory = ZipDirectory(window: try FileWindow(file))
        do {
            try directory.check(limits)
        } catch let failure as BuildFailure {
            throw failure
        } catch {
            throw malformed("\(error)")
        }
        try file.seek(to: 0)
    }

    private init(window: FileWindow) { self.window = window }

    private mutating func check(_ limits: BuildLimits) throws {
        let endPlace = try findEnd()
        let (end, place) = try end(at: endPlace)
        guard end.count <= UInt64(limits.fileCount) else {
            throw BuildFailure(
                .resourceLimit, "the archive holds more than \(limits.fileCount) files, the limit of the file count")
        }
        let (found, overflow) = end.directoryOffset.addingReportingOverflow(end.directorySize)
        guard !overflow, found == UInt64(place) else {
            throw Self.malformed("something stands before its first entry, or its directory is not where it says")
        }
        var offset = Int64(end.directoryOffset)
        for _ in 0..<end.count { offset += try checkEntry(at: offset) }
        guard offset == place else { throw Self.malformed("its directory holds more than it says") }
        try checkPlaces(until: end.directoryOffset)
    }

    /// The end-of-central-directory record with its comment is the last thing in the file, and there is one.
    private func findEnd() throws(BuildFailure) -> Int64 {
        let count = Int(min(window.size, Int64(ZipEnd.size + 0xFFFF)))
        let tail = try window.bytes(at: window.size - Int64(count), count: count)
        var starts: [Int] = []
        for start in 0..<max(0, tail.count - ZipEnd.size + 1) where tail[start] == ZipEnd.signature[0] {
            let comment = Int(tail[start + 20]) | Int(tail[start + 21]) << 8
            guard tail[start...].starts(with: ZipEnd.signature), start + ZipEnd.size + comment == tail.count
            else { continue }
            starts.append(start)
        }
        guard let start = starts.first, starts.count == 1 else {
            throw BuildFailure(
                .source, "the ZIP file has no end, or something stands after it; it was cut short or joined")
        }
        return window.size - Int64(count) + Int64(start)
    }

    /// The end's numbers, and the place at which the directory has to end.
    private func end(at place: Int64) throws -> (ZipEnd, Int64) {
        let end = try ZipEnd(decoding: window.bytes(at: place, count: ZipEnd.size))
        guard end.isLarge else { return (end, place) }
        let large = place - Int64(ZipEnd.locatorSize + ZipEnd.largeSize)
        return (try ZipEnd(decodingLarge: window.bytes(at: large, count: ZipEnd.largeSize)), large)
    }

    /// Returns the size of the record in the directory.
    private mutating func checkEntry(at offset: Int64) throws -> Int64 {
        let record = try ZipDirectoryRecord(decoding: window.bytes(at: offset, count: ZipDirectoryRecord.size))
        let names = record.nameLength + record.extraLength
        let text = try window.bytes(at: offset + Int64(ZipDirectoryRecord.size), count: names)
        let place = try record.place(Array(text[record.nameLength...]))
        guard place.offset < UInt64(window.size), place.compressedSize < UInt64(window.size) else {
            throw Self.malformed("an entry leads beyond its end")
        }
        let headerPlace = Int64(place.offset)
        let header = try ZipLocalHeader(decoding: window.bytes(at: headerPlace, count: ZipLocalHeader.size))
        let name = try window.bytes(at: headerPlace + Int64(ZipLocalHeader.size), count: header.nameLength)
        guard name == Array(text[..<record.nameLength]), header.method == record.method,
            header.flags & Self.readingFlags == record.flags & Self.readingFlags
        else {
            let shown = printable(String(decoding: text[..<record.nameLength], as: UTF8.self))
            throw Self.malformed("the entry '\(shown)' has another name or form in the directory than in its place")
        }
        let start = place.offset + UInt64(ZipLocalHeader.size + header.nameLength + header.extraLength)
        places.append(place.offset..<start + place.compressedSize)
        return Int64(ZipDirectoryRecord.size + names + record.commentLength)
    }

    private mutating func checkPlaces(until end: UInt64) throws(BuildFailure) {
        places.sort { $0.lowerBound < $1.lowerBound }
        var last: UInt64 = 0
        for place in places {
            guard place.lowerBound >= last else { throw Self.malformed("two of its entries share bytes") }
            last = place.upperBound
        }
        guard last <= end, places.first?.lowerBound ?? 0 == 0 else {
            throw Self.malformed("an entry reaches into its directory, or something stands before the first entry")
        }
    }

    private static func malformed(_ reason: String) -> BuildFailure {
        BuildFailure(.source, "the ZIP file is damaged, or two programs would read it differently: \(reason)")
    }
}
