// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Measurements
import Testing

/// Digests that sev-snp-measure 0.0.13 gives for the same bytes; `Tests/EndToEnd/test_measure.py` compares many more.
@Suite struct SNPLaunchTests {
    private static let hashes = SNPKernelHashes(
        kernel: Digest256(of: Array("kernel\n".utf8)), initrd: Digest256(of: Array("initrd\n".utf8)), commandLine: "a=b"
    )

    private func firmware(_ sample: FirmwareSample = FirmwareSample()) throws -> SNPFirmware {
        try #require(try SNPFirmware(try GuestFirmware(decoding: sample.bytes)))
    }

    @Test func theSampleIsTheOneThatWasMeasured() {
        #expect(
            Digest256(of: FirmwareSample().bytes).hex
                == "449328685fb6cc3a98221aa1da0884b4820e0ceebfdb047cdc23144611af087a")
    }

    @Test(arguments: [
        (
            1, "EPYC-v4",
            "07bd61b5c1cd5f96b2aa63795c4d9258f4cae5a34981a84251e2acc03fa31a9a3da85ff226117c99e8e98e5a17553384"
        ),
        (
            2, "EPYC-v4",
            "d8c1f1ed9073bf314c2d63c86afc8380baa5bfce0ce1be3e496690c6ecc95d5ed84466bf213bc3c4b8c886da601c452b"
        ),
        (
            4, "EPYC-Milan",
            "2b8c57730f2eecd86d6574ccfa7d9ea9d16da0f7d9d54571f74a5ee58c1c57ae22d65071c0ecf4847cd9115f1d63b0d7"
        ),
    ])
    func digestsAreThoseOfTheReference(processors: Int, model: String, digest: String) throws {
        let launch = try SNPLaunch(firmware: try firmware(), kernel: Self.hashes)
        let kind = try #require(SNPProcessor(model))
        #expect(Hex.encode(launch.measurement(processors: processors, kind: kind)) == digest)
        let bySignature = try #require(SNPProcessor("0x" + String(kind.signature, radix: 16)))
        #expect(Hex.encode(launch.measurement(processors: processors, kind: bySignature)) == digest)
    }

    @Test func withoutAnInitrdAndWithoutACommandLine() throws {
        let kernel = Digest256(of: Array("kernel\n".utf8))
        let genoa = try #require(SNPProcessor("EPYC-Genoa"))
        let turin = try #require(SNPProcessor("EPYC-Turin"))
        let alone = SNPKernelHashes(kernel: kernel, initrd: nil, commandLine: "a=b")
        #expect(
            Hex.encode(try SNPLaunch(firmware: firmware(), kernel: alone).measurement(processors: 1, kind: genoa))
                == "84ad0b67d09510b5c6dbe1513649b3653e16546bdf37f35f09d08fc12ae7f4be33e6d3247921cb24404c46ab84f1e637")
        let silent = SNPKernelHashes(kernel: kernel, initrd: Self.hashes.initrd, commandLine: "")
        #expect(
            Hex.encode(try SNPLaunch(firmware: firmware(), kernel: silent).measurement(processors: 1, kind: turin))
                == "301ed68e353d19dcee8f3b30e0caacd55240fc5229d6389474909e696f56348b276e9987df68f2fdd792c858a77deb14")
    }

    @Test func withoutAKernelAndWithOtherFeatures() throws {
        let rome = try #require(SNPProcessor("EPYC-Rome"))
        let plain = try SNPLaunch(firmware: firmware(), kernel: nil)
        #expect(
            Hex.encode(plain.measurement(processors: 3, kind: rome))
                == "fcb90bae2594090889977afba2359f9746712146d266d72fe958949452e2880fb0b78eb5067a1a0082ea4eaf9b0adbfd")
        let launch = try SNPLaunch(firmware: firmware(), kernel: Self.hashes)
        let epyc = try #require(SNPProcessor("EPYC"))
        #expect(
            Hex.encode(launch.measurement(processors: 2, kind: epyc, features: 0x21))
                == "9723cadf92e1c45984c01e8ce3b26f5817e8aa0db93e9da8638371a8c06769568ee7df85ca79ca54823a953b167249b3")
    }

    @Test(arguments: [
        (
            SNPHypervisor.ec2,
            "34c1101928771a149f4a79a9a43d1fa7063931d349768fe87f1b3e4138553f5dabfa6cc18311803619bd77a7c8e1a2aa"
        ),
        (
            .gce,
            "75d86356ab4aea650e704af06fd38dd7a10b0dae975de927ab724462a5563dbedf727f279648efe849fa4ac7393deef0"
        ),
    ])
    func otherHypervisorsStartProcessorsDifferently(hypervisor: SNPHypervisor, digest: String) throws {
        let launch = try SNPLaunch(firmware: firmware(), kernel: nil, hypervisor: hypervisor)
        let epyc = try #require(SNPProcessor("EPYC"))
        #expect(Hex.encode(launch.measurement(processors: 2, kind: epyc)) == digest)
    }

    @Test func everyInputChangesTheDigest() throws {
        let epyc = try #require(SNPProcessor("EPYC"))
        func digest(_ sample: FirmwareSample, _ kernel: SNPKernelHashes?, _ count: Int = 1) throws -> [UInt8] {
            try SNPLaunch(firmware: firmware(sample), kernel: kernel).measurement(processors: count, kind: epyc)
        }
        var other = FirmwareSample()
        other.reset = 0x80C004
        var last = FirmwareSample()
        last.sections?.swapAt(0, 1)
        let nothing = Digest256(of: [])
        let digests = try [
            digest(FirmwareSample(), Self.hashes), digest(FirmwareSample(), nil), digest(other, Self.hashes, 2),
            digest(FirmwareSample(), Self.hashes, 2), digest(last, Self.hashes),
            digest(FirmwareSample(), .init(kernel: nothing, initrd: Self.hashes.initrd, commandLine: "a=b")),
            digest(FirmwareSample(), .init(kernel: Self.hashes.kernel, initrd: nothing, commandLine: "a=b")),
            digest(FirmwareSample(), .init(kernel: Self.hashes.kernel, initrd: Self.hashes.initrd, commandLine: "a=c")),
        ]
        #expect(Set(digests).count == digests.count)
    }

    @Test func aKernelIsRefusedWhereTheFirmwareWouldStartAny() throws {
        var without = FirmwareSample()
        without.sections?.removeLast()
        var noTable = FirmwareSample()
        noTable.table = nil
        var zeroTable = FirmwareSample()
        zeroTable.table = 0
        for sample in [without, noTable, zeroTable] {
            #expect(try !firmware(sample).measuresKernels)
            let error = #expect(throws: MeasurementError.self) {
                try SNPLaunch(firmware: firmware(sample), kernel: Self.hashes)
            }
            #expect(error?.message.contains("SNP_KERNEL_HASHES") == true)
        }
        for place: UInt32 in [0x80FC00, 0x810F51, 0x811000] {
            var outside = FirmwareSample()
            outside.table = place
            #expect(throws: MeasurementError.self) {
                try SNPLaunch(firmware: firmware(outside), kernel: Self.hashes)
            }
        }
    }

    @Test func modelsHaveTheSignaturesOfTheirFamilies() throws {
        #expect(SNPProcessor.models.count == 16)
        #expect(SNPProcessor("EPYC-v4")?.signature == 0x800F12)
        #expect(SNPProcessor("EPYC-Rome")?.signature == 0x830F10)
        #expect(SNPProcessor("EPYC-Milan")?.signature == 0xA00F11)
        #expect(SNPProcessor("EPYC-Genoa")?.signature == 0xA10F10)
        #expect(SNPProcessor("EPYC-Turin")?.signature == 0xB00F00)
        #expect(SNPProcessor(name: "old", family: 6, model: 0x3C, stepping: 3).signature == 0x306C3)
        for text in ["", "host", "epyc-v4", "0x", "0x123456789", "800f12"] { #expect(SNPProcessor(text) == nil) }
    }
}
