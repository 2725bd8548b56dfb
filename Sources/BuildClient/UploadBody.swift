// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// An ``UploadForm`` piece by piece, read from disk as the connection takes it: memory does not grow with the file.
struct UploadBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Bytes of one piece.
    static let pieceSize = 256 << 10

    let form: UploadForm
    /// Bytes of the whole body.
    let size: Int64

    /// Throws where the file cannot be read.
    init(_ form: UploadForm) throws(BuildClientError) {
        self.form = form
        var size = Int64(form.head.count + form.tail.count)
        if let path = form.path { size += try OpenFile(reading: path).size() }
        self.size = size
    }

    func makeAsyncIterator() -> Iterator { Iterator(form: form) }

    struct Iterator: AsyncIteratorProtocol {
        private enum Place { case head, file(OpenFile), tail, end }
        private let form: UploadForm
        private var place = Place.head

        init(form: UploadForm) { self.form = form }

        mutating func next() async throws -> ByteBuffer? {
            switch place {
            case .head:
                place = try form.path.map { .file(try OpenFile(reading: $0)) } ?? .tail
                return ByteBuffer(bytes: form.head)
            case .file(let file):
                let piece = try file.read(upTo: UploadBody.pieceSize)
                guard piece.isEmpty else { return ByteBuffer(bytes: piece) }
                place = .end
                return ByteBuffer(bytes: form.tail)
            case .tail, .end:
                place = .end
                return nil
            }
        }
    }
}
