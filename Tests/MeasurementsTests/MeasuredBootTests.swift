// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Crypto
import Evidence
import Measurements
import StrictJSON
import TestVectors
import Testing

@Suite struct MeasuredBootTests {
    private func boot(_ sample: ProgramSample) throws -> MeasuredBoot {
        try MeasuredBoot(try UnifiedKernel(decoding: sample.bytes))
    }

    /// The value of a register to which these were measured.
    private func register<Hash: HashFunction>(_: Hash.Type, _ digests: [[UInt8]]) -> [UInt8] {
        digests.reduce([UInt8](repeating: 0, count: Hash.Digest.byteCount)) { Array(Hash.hash(data: $0 + $1)) }
    }

    private func hashed<Hash: HashFunction>(_: Hash.Type, _ contents: [[UInt8]]) -> [[UInt8]] {
        contents.map { Array(Hash.hash(data: $0)) }
    }

    private static let separator: [UInt8] = [0, 0, 0, 0]
    private static let application = Array("Calling EFI Application from Boot Option".utf8)
    private static let exits = ["Exit Boot Services Invocation", "Exit Boot Services Returned with Success"].map {
        Array($0.utf8)
    }
    private static let options: [UInt8] = "console=ttyS0 quiet\0".utf8.flatMap { [$0, 0] as [UInt8] }

    @Test func aUnifiedKernelIsRead() throws {
        let kernel = try UnifiedKernel(decoding: ProgramSample.unified().bytes)
        #expect(kernel.commandLine == "console=ttyS0 quiet")
        #expect(kernel.stubVersion == 252)
        #expect(kernel.kernel.release == "6.12.1-test")
        #expect((kernel.kernel.major, kernel.kernel.minor) == (6, 12))
        #expect(kernel.kernelBytes == ProgramSample.kernel())
        #expect(kernel.initrdBytes == Array("initrd\n".utf8))
    }

    @Test func registersOfATPM() throws {
        let sample = ProgramSample.unified()
        let registers = try boot(sample).platformRegisters
        #expect(registers.keys.sorted() == [2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15])
        let separator = hashed(SHA256.self, [Self.separator])
        for index in [2, 3, 6] { #expect(registers[index] == register(SHA256.self, separator)) }
        for index in 12...15 { #expect(registers[index] == [UInt8](repeating: 0, count: 32)) }
        let outer = try PortableExecutable(decoding: sample.bytes).authenticodeDigest(SHA256.self)
        let inner = try PortableExecutable(decoding: ProgramSample.kernel()).authenticodeDigest(SHA256.self)
        let application = hashed(SHA256.self, [Self.application])
        #expect(registers[4] == register(SHA256.self, [outer] + application + separator + [inner]))
        #expect(registers[5] == register(SHA256.self, hashed(SHA256.self, [Self.separator] + Self.exits)))
        #expect(registers[9] == register(SHA256.self, hashed(SHA256.self, [Self.options, Array("initrd\n".utf8)])))
        let names = [".linux", ".osrel", ".cmdline", ".initrd"]
        let sections: [[UInt8]] = names.flatMap { name -> [[UInt8]] in
            [Array(name.utf8) + [0], sample.sections.first { $0.name == name }?.content ?? []]
        }
        #expect(registers[11] == register(SHA256.self, hashed(SHA256.self, sections)))
    }

    @Test func registersOfTDX() throws {
        let sample = ProgramSample.unified()
        let registers = try boot(sample).runtimeRegisters()
        let outer = try PortableExecutable(decoding: sample.bytes).authenticodeDigest(SHA384.self)
        let inner = try PortableExecutable(decoding: ProgramSample.kernel()).authenticodeDigest(SHA384.self)
        let before = hashed(SHA384.self, [Self.application, Self.separator])
        let after = hashed(SHA384.self, Self.exits)
        #expect(registers[1] == register(SHA384.self, [outer] + before + [inner] + after))
        #expect(registers[2] == register(SHA384.self, hashed(SHA384.self, [Self.options, Array("initrd\n".utf8)])))
        #expect(registers[3] == [UInt8](repeating: 0, count: 48))
        #expect(registers.count == 3)
    }

    @Test(arguments: ["6.8.12-test", "5.15.0", "6.1.0-30-cloud-amd64"])
    func kernelsThatMeasureNothingUnderTDXAreRefused(release: String) throws {
        let old = try boot(.unified(kernel: ProgramSample.kernel(release: release)))
        #expect(throws: MeasurementError.self) { try old.runtimeRegisters() }
        #expect(old.platformRegisters.count == 12)
        let new = try boot(.unified(kernel: ProgramSample.kernel(release: "7.0-rc1")))
        #expect(try new.runtimeRegisters().count == 3)
    }

    @Test(arguments: ["251", "253.1", "257.7-1"])
    func otherStubsAreRefused(version: String) throws {
        let kernel = try UnifiedKernel(decoding: ProgramSample.unified(stub: version).bytes)
        #expect(throws: MeasurementError.self) { try MeasuredBoot(kernel) }
    }

    @Test(arguments: [".sdmagic", ".osrel", ".cmdline", ".linux", ".initrd"])
    func sectionsThatAreMissingDoubleOrShortAreRefused(name: String) throws {
        let sample = ProgramSample.unified()
        let index = try #require(sample.sections.firstIndex { $0.name == name })
        var missing = sample
        missing.sections.remove(at: index)
        var empty = sample
        empty.sections[index].size = 0
        var short = sample
        short.sections[index].size = 4096 + short.sections[index].content.count
        var double = sample
        double.sections.append(double.sections[index])
        for changed in [missing, empty, short, double] {
            #expect(throws: MalformedBytes.self) { try UnifiedKernel(decoding: changed.bytes) }
        }
    }

    @Test(arguments: [".dtb", ".splash", ".pcrsig", ".pcrpkey", ".ucode", ".profile", ".linux2", ".Linux"])
    func sectionsThatWouldBeMeasuredOrAreNotKnownAreRefused(name: String) {
        var sample = ProgramSample.unified()
        sample.sections.append(.init(name: name, content: [1]))
        #expect(throws: MalformedBytes.self) { try UnifiedKernel(decoding: sample.bytes) }
    }

    @Test(arguments: ["", "\0", "a \0", "a\tb\0", "a\n\0", "a\0b\0", "a\0\0", "\u{E9}\0"])
    func commandLinesThatTheStubWouldChangeAreRefused(line: String) {
        let sample = ProgramSample.unified(commandLine: Array(line.utf8))
        #expect(throws: MalformedBytes.self) { try UnifiedKernel(decoding: sample.bytes) }
    }

    @Test func kernelsThatDoNotSayWhatTheyAreAreRefused() {
        for release in ["", "linux", "6", "6.", ".1", "x.1", String(repeating: "6.1", count: 30)] {
            let sample = ProgramSample.unified(kernel: ProgramSample.kernel(release: release))
            #expect(throws: MalformedBytes.self, "\(release)") { try UnifiedKernel(decoding: sample.bytes) }
        }
        var noMark = ProgramSample.kernel()
        noMark[0x202] = 0
        var noPlace = ProgramSample.kernel()
        (noPlace[0x20E], noPlace[0x20F]) = (0, 0)
        var beyond = ProgramSample.kernel()
        (beyond[0x20E], beyond[0x20F]) = (0xFF, 0xFF)
        for kernel in [noMark, noPlace, beyond, Array("HdrS".utf8), []] {
            #expect(throws: MalformedBytes.self) { try LinuxKernel(decoding: kernel) }
        }
        for magic in ["#### LoaderInfo: systemd-boot 252", "#### LoaderInfo: systemd-stub x", "252"] {
            var sample = ProgramSample.unified()
            sample.sections[1].content = Array(magic.utf8)
            #expect(throws: MalformedBytes.self) { try UnifiedKernel(decoding: sample.bytes) }
        }
    }

    /// A boot of OVMF with swtpm, recorded: what does not depend on the image is as computed, and PCR 0 and 1 are the
    /// machine's.
    @Test(.enabled(if: SharedVectors.arePresent, "the published vectors are absent"))
    func aReferenceBootGivesWhatFilesDoNot() throws {
        let log = try TCGEventLog(decoding: SharedVectors.bytes("measured-vm/tpm/eventlog.bin"))
        let expected = try JSONValue(parsing: SharedVectors.bytes("measured-vm/tpm/expected.json"))
        let observed = try #require(expected["observed_pcrs"])
        let reference = try ReferenceBoot(log)
        #expect(
            reference.registers.mapValues(Hex.encode).mapValues(JSONValue.string) == [
                "PCR0": try #require(observed["0"]), "PCR1": try #require(observed["1"]),
            ])
        let computed = try boot(.unified()).platformRegisters
        try reference.check(computed)
        for index in [2, 3, 5, 6, 7, 12, 13, 14, 15] {
            #expect(observed["\(index)"] == computed[index].map(Hex.encode).map(JSONValue.string), "PCR\(index)")
        }
        var others = computed
        others[7] = [UInt8](repeating: 1, count: 32)
        #expect(throws: MeasurementError.self) { try reference.check(others) }
    }

    @Test func logsOfTDXGiveRTMR0() throws {
        let digest = [UInt8](repeating: 5, count: 48)
        let reference = try ReferenceBoot(try TCGEventLog(decoding: Self.log(0x0C, register: 1, digest)))
        let value = Array(SHA384.hash(data: [UInt8](repeating: 0, count: 48) + digest))
        #expect(reference.registers == ["RTMR0": value])
        let other = try TCGEventLog(decoding: Self.log(0x0C, register: 2, digest))
        #expect(throws: MeasurementError.self) { try ReferenceBoot(other) }
        let half = try TCGEventLog(decoding: Self.log(0x0B, register: 0, Array(digest.prefix(32))))
        #expect(throws: MeasurementError.self) { try ReferenceBoot(half) }
        let old = try TCGEventLog(decoding: Self.log(0x04, register: 0, Array(digest.prefix(20))))
        #expect(throws: MeasurementError.self) { try ReferenceBoot(old) }
    }

    /// A crypto-agile log of one event.
    private static func log(_ algorithm: UInt16, register: UInt32, _ digest: [UInt8]) -> [UInt8] {
        let little = { (value: UInt32) in FirmwareSample.little(value) }
        let content: [UInt8] =
            Array("Spec ID Event03\0".utf8) + little(0) + [0, 2, 0, 2] + little(1) + FirmwareSample.little(algorithm)
            + FirmwareSample.little(UInt16(digest.count)) + [0]
        let head = little(0) + little(3) + [UInt8](repeating: 0, count: 20) + little(UInt32(content.count)) + content
        return head + little(register) + little(1) + little(1) + FirmwareSample.little(algorithm) + digest + little(1)
            + [1]
    }
}
