// SPDX-License-Identifier: Apache-2.0
import BuildServer
import NIOCore
import Testing

@Suite struct EventNumberingTests {
    private let log = "data: {\"a\":1}\n\ndata: two\n\ndata: three\n\n"
    private let numbered = "id: 5\ndata: {\"a\":1}\n\nid: 6\ndata: two\n\nid: 7\ndata: three\n\n"

    @Test func idsStandBeforeEventsWhereverThePiecesBreak() {
        let bytes = Array(log.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var numbering = EventNumbering(first: 5)
                var out = ByteBuffer()
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    numbering.number(ByteBuffer(bytes: piece), into: &out)
                }
                #expect(String(buffer: out) == numbered)
            }
        }
    }

    @Test(arguments: [0, 7, 9, 10, 99, 100, 12_345, 999_999, 1_000_000, Int.max - 2])
    func numbersAreWrittenInFull(first: Int) {
        var numbering = EventNumbering(first: first)
        var out = ByteBuffer()
        numbering.number(ByteBuffer(string: "data: a\n\ndata: b\n\n"), into: &out)
        #expect(String(buffer: out) == "id: \(first)\ndata: a\n\nid: \(first + 1)\ndata: b\n\n")
    }
}

@Suite struct StreamPieceTests {
    private let bytes = ByteBuffer(string: "data: one\n\ndata: two\n\n")

    private func text(_ piece: StreamPiece) -> String? {
        if case .bytes(let chunk) = piece.content { String(buffer: chunk) } else { nil }
    }

    @Test func bytesOfTheLogAreOneChunk() {
        let piece = StreamPiece(bytes, at: StreamPlace(offset: 100, numbering: nil))
        #expect(text(piece) == "00000016\r\ndata: one\n\ndata: two\n\n\r\n")
        #expect(piece.end == StreamPlace(offset: 122, numbering: nil))
    }

    @Test func aChunkWithIDsIsAsLongAsItSays() {
        let start = StreamPlace(offset: 0, numbering: EventNumbering(first: 9))
        let piece = StreamPiece(bytes, at: start)
        #expect(text(piece) == "00000023\r\nid: 9\ndata: one\n\nid: 10\ndata: two\n\n\r\n")
        #expect(piece.end == StreamPlace(offset: 22, numbering: EventNumbering(first: 11)))
        #expect(piece.start == start)
    }

    @Test(arguments: [(0, "00000000\r\n"), (11, "0000000b\r\n"), (0x1234_ABCD, "1234abcd\r\n")])
    func theHeadOfAChunkIsItsSize(size: Int, head: String) {
        #expect(String(buffer: StreamPiece.chunkHead(size)) == head)
    }

    @Test func aKeepAliveIsAChunkOfItsOwn() {
        #expect(String(buffer: StreamPiece.keepAlive) == "0000000e\r\n: keep-alive\n\n\r\n")
        #expect(String(buffer: StreamPiece.end) == "0\r\n\r\n")
    }
}
