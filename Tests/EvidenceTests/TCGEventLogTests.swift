// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite struct TCGEventLogTests {
    private static func old(_ register: UInt32, _ type: UInt32, _ digest: UInt8, _ content: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(register)
        writer.littleEndian(type)
        writer.append([UInt8](repeating: digest, count: 20))
        writer.littleEndian(UInt32(content.count))
        writer.append(content)
        return writer.bytes
    }

    private static func header(_ algorithms: [(UInt16, UInt16)], count: UInt32? = nil, rest: [UInt8] = [2, 7, 7])
        -> [UInt8]
    {
        var writer = ByteWriter()
        writer.append("Spec ID Event03\0".utf8)
        writer.append([0, 0, 0, 0, 0, 2, 0, 2])
        writer.littleEndian(count ?? UInt32(algorithms.count))
        for (number, size) in algorithms {
            writer.littleEndian(number)
            writer.littleEndian(size)
        }
        writer.append(rest)
        return old(0, 3, 0, writer.bytes)
    }

    private static func agile(
        _ register: UInt32, _ type: UInt32, _ digests: [(UInt16, [UInt8])], _ content: [UInt8] = []
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(register)
        writer.littleEndian(type)
        writer.littleEndian(UInt32(digests.count))
        for (number, digest) in digests {
            writer.littleEndian(number)
            writer.append(digest)
        }
        writer.littleEndian(UInt32(content.count))
        writer.append(content)
        return writer.bytes
    }

    private static let d1 = [UInt8](repeating: 1, count: 32)
    private static let d2 = [UInt8](repeating: 2, count: 32)
    private static let zero = [UInt8](repeating: 0, count: 32)
    private static func sha256(_ bytes: [UInt8]) -> [UInt8] { Digest256(of: bytes).bytes }

    @Test func theOlderFormIsReadAndReplayed() throws {
        let log = try TCGEventLog(decoding: Self.old(0, 8, 1, [5]) + Self.old(4, 13, 2, []) + Self.old(0, 1, 3, []))
        #expect(log.banks == [.sha1] && log.events.map(\.register) == [0, 4, 0] && log.events[0].content == [5])
        let registers = log.replayedRegisters(of: .sha1)
        let first = TPMHashAlgorithm.sha1.digest(
            of: [UInt8](repeating: 0, count: 20) + [UInt8](repeating: 1, count: 20))
        #expect(registers[0] == TPMHashAlgorithm.sha1.digest(of: first + [UInt8](repeating: 3, count: 20)))
        #expect(Set(registers.keys) == [0, 4])
    }

    @Test func theCryptoAgileFormIsReadAndReplayed() throws {
        let sm3: (UInt16, [UInt8]) = (0x12, Self.d2)
        let log = try TCGEventLog(
            decoding: Self.header([(0x0B, 32), (0x12, 32)]) + Self.agile(1, 8, [(0x0B, Self.d1), sm3], [9])
                + Self.agile(1, 3, [sm3, (0x0B, Self.d2)]) + Self.agile(1, 9, [sm3, (0x0B, Self.d2)]))
        #expect(log.banks == [.sha256] && log.events.count == 3 && log.events[0].digests == [.sha256: Self.d1])
        let once = Self.sha256(Self.zero + Self.d1)
        #expect(log.replayedRegisters(of: .sha256) == [1: Self.sha256(once + Self.d2)])
        #expect(log.replayedRegisters(of: .sha1).isEmpty)
    }

    @Test func theLocalityOfTheStartIsTheFirstValueOfRegisterZero() throws {
        let locality = Array("StartupLocality\0".utf8) + [3]
        let log = try TCGEventLog(
            decoding: Self.header([(0x0B, 32)]) + Self.agile(0, 3, [(0x0B, Self.zero)], locality)
                + Self.agile(0, 8, [(0x0B, Self.d1)]) + Self.agile(1, 8, [(0x0B, Self.d1)]))
        #expect(
            log.replayedRegisters(of: .sha256) == [
                0: Self.sha256(Self.zero.dropLast() + [3] + Self.d1), 1: Self.sha256(Self.zero + Self.d1),
            ])
    }

    @Test(arguments: [0, 0xFF] as [UInt8])
    func theRestOfTheBufferIsNoEvent(byte: UInt8) throws {
        let bytes = Self.header([(0x0B, 32)]) + Self.agile(1, 8, [(0x0B, Self.d1)], [1])
        let log = try TCGEventLog(decoding: bytes + [UInt8](repeating: byte, count: 100))
        #expect(log.events.count == 1)
    }

    @Test(
        arguments: [
            ("nothing", []), ("an event cut short", Array(old(0, 8, 1, [5]).dropLast())),
            ("no algorithm", header([])), ("too many algorithms", header([], count: 17)),
            ("a digest of another size", header([(0x0B, 20)])), ("an algorithm twice", header([(0x12, 4), (0x12, 4)])),
            ("a header with too much", header([(0x0B, 32)], rest: [0, 0])),
            ("a digest that is not declared", header([(0x0B, 32)]) + agile(1, 8, [(0x04, d1)])),
            ("a digest too few", header([(0x0B, 32), (0x12, 32)]) + agile(1, 8, [(0x0B, d1)])),
            ("a digest twice", header([(0x0B, 32), (0x12, 32)]) + agile(1, 8, [(0x0B, d1), (0x0B, d1)])),
            ("something after the events", header([(0x0B, 32)]) + [1]),
        ] as [(String, [UInt8])])
    func whatDoesNotFitIsRefused(name: String, bytes: [UInt8]) {
        #expect(throws: MalformedBytes.self) { try TCGEventLog(decoding: bytes) }
    }

    /// A real log of OVMF gives the registers that the TPM had after it.
    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
    func aRealLogGivesTheRegistersOfItsTPM() throws {
        let log = try TCGEventLog(decoding: SharedVectors.bytes("measured-vm/tpm/eventlog.bin"))
        let registers = log.replayedRegisters(of: .sha256)
        let observed = try JSONValue(parsing: SharedVectors.bytes("measured-vm/tpm/expected.json"))["observed_pcrs"]
        #expect(Set(registers.keys).isSuperset(of: 0...7))
        for (register, value) in registers {
            #expect(observed?["\(register)"]?.stringValue == Hex.encode(value), "register \(register)")
        }
        let other = try TCGEventLog(decoding: SharedVectors.bytes("measured-vm/tpm/eventlog-direct-kernel-1024M.bin"))
        #expect(other.replayedRegisters(of: .sha256)[4] != registers[4])
    }
}
