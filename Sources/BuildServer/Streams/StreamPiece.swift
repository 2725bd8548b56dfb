// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// How far a reader is: the next byte of the log, and for a reader that wants ids how far the numbering is.
package struct StreamPlace: Hashable, Sendable {
    package var offset: Int
    package var numbering: EventNumbering?

    package init(offset: Int, numbering: EventNumbering?) {
        self.offset = offset
        self.numbering = numbering
    }
}

/// The next bytes for every reader that is at ``start``, as one chunk of HTTP/1.1 (RFC 9112, section 7.1).
package struct StreamPiece: Sendable {
    package enum Content: Sendable {
        /// The whole chunk.
        case bytes(ByteBuffer)
        /// Bytes of the log, which the system sends from the file: ``chunkHead(_:)`` comes before, ``chunkEnd`` after.
        case file(FileRegion)
    }

    /// What ends a chunk.
    package static let chunkEnd = ByteBuffer(string: "\r\n")
    /// What ends a stream.
    package static let end = ByteBuffer(string: "0\r\n\r\n")
    package static let keepAlive: ByteBuffer = {
        let comment = ": keep-alive\n\n"
        var chunk = chunkHead(comment.utf8.count)
        chunk.writeString(comment)
        chunk.writeImmutableBuffer(chunkEnd)
        return chunk
    }()

    private static let digits = Array("0123456789abcdef".utf8)
    private static let headSize = 10

    package let start: StreamPlace
    package let end: StreamPlace
    package let content: Content

    /// Bytes of the log that follow `start`.
    package init(_ bytes: ByteBuffer, at start: StreamPlace) {
        var end = start
        end.offset += bytes.readableBytes
        let size = bytes.readableBytes
        var chunk = ByteBuffer()
        chunk.reserveCapacity((end.numbering == nil ? size : size + size / 4 + 32) + Self.headSize + 2)
        chunk.moveWriterIndex(to: Self.headSize)
        if var numbering = end.numbering {
            numbering.number(bytes, into: &chunk)
            end.numbering = numbering
        } else {
            chunk.writeImmutableBuffer(bytes)
        }
        chunk.setBuffer(Self.chunkHead(chunk.readableBytes - Self.headSize), at: 0)
        chunk.writeImmutableBuffer(Self.chunkEnd)
        self.start = start
        self.end = end
        content = .bytes(chunk)
    }

    /// As many bytes of the log's file as `region` has, from `start` on.
    package init(_ region: FileRegion, at start: StreamPlace) {
        self.start = start
        end = StreamPlace(offset: start.offset + region.readableBytes, numbering: nil)
        content = .file(region)
    }

    /// The line before the `size` bytes of a chunk: always ten bytes long, so that it can be filled in afterwards.
    package static func chunkHead(_ size: Int) -> ByteBuffer {
        var head = ByteBuffer()
        for shift in stride(from: 28, through: 0, by: -4) { head.writeInteger(digits[(size >> shift) & 0xF]) }
        head.writeImmutableBuffer(chunkEnd)
        return head
    }
}
