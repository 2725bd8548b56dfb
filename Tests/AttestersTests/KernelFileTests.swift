// SPDX-License-Identifier: Apache-2.0
import Attesters
import Foundation
import Testing

@Suite struct KernelFileTests {
    /// Of many records, and of more bytes than one read gives. Its addresses are zero for most users, and the same each
    /// time for all.
    private static let path = "/proc/kallsyms"

    @Test(.enabled(if: access(path, R_OK) == 0, "there is no /proc/kallsyms"))
    func aFileThatComesInPiecesIsReadToItsEnd() throws {
        // The file changes where the system loads something meanwhile.
        let before = Self.inPieces()
        let bytes = try #require(try KernelFile.read(Self.path, limit: 1 << 28))
        #expect(bytes.count > 1 << 16 && bytes.last == UInt8(ascii: "\n"))
        #expect(bytes == before || bytes == Self.inPieces())
    }

    private static func inPieces() -> [UInt8] {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1000)
        while case let count = read(file, &piece, piece.count), count > 0 { bytes += piece[..<count] }
        return bytes
    }

    @Test(.enabled(if: access(path, R_OK) == 0, "there is no /proc/kallsyms"))
    func oneThatIsTooLargeIsRefused() {
        let error = #expect(throws: AttesterError.self) { try KernelFile.read(Self.path, limit: 1 << 16) }
        #expect(error?.code == .invalid && error?.message.contains("more than 65536 bytes") == true)
    }

    @Test func oneThatIsNotThereIsNone() throws {
        #expect(try KernelFile.read("/nonexistent", limit: 1) == nil)
    }

    @Test func whatCannotBeReadIsSaid() {
        let error = #expect(throws: AttesterError.self) { try KernelFile.read("/proc/self", limit: 1) }
        #expect(error?.code == .failed && error?.message.contains("Is a directory") == true)
    }
}
