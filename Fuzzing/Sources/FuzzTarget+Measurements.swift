// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Crypto
import Evidence
import Measurements

extension FuzzTarget {
    /// Files of a guest that somebody else made, and that are measured.
    static let measurements = [
        FuzzTarget("image-description", { bytes throws(MalformedBytes) in try ImageDescription(parsing: bytes) }) {
            _, image in
            let again = try? ImageDescription(parsing: image.canonicalBytes)
            expect(again == image, "the canonical form reads differently")
            expect(image.files.count >= ImageDescription.Name.all.count, "a file is missing")
        },
        FuzzTarget("guest-firmware", { bytes throws(MalformedBytes) in try GuestFirmware(decoding: bytes) }) {
            _, firmware in
            if let tdx = try? TDXFirmware(firmware) { expect(tdx.mrtd.count == 48, "MRTD of another length") }
            guard let snp = try? SNPFirmware(firmware) else { return }
            let hashes = SNPKernelHashes(kernel: Digest256(of: []), initrd: nil, commandLine: "")
            for kernel in [hashes, nil] {
                let launch = try? SNPLaunch(firmware: snp, kernel: kernel)
                let digest = launch?.measurement(processors: 2, kind: SNPProcessor(signature: 0x800F12))
                expect((digest?.count ?? 48) == 48, "MEASUREMENT of another length")
                expect(kernel == nil || launch == nil || snp.measuresKernels, "a kernel is not measured")
            }
        },
        FuzzTarget("igvm-file", { bytes throws(MalformedBytes) in try IGVMFile(decoding: bytes) }) { bytes, file in
            expect(file.digest(zeroPages: .asContent).count == 48, "MEASUREMENT of another length")
            expect(file.processors > 0, "no processor")
            let measured = try? file.measurement()
            expect(measured == nil || file.statedDigest == nil || measured == file.statedDigest, "not as stated")
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try IGVMFile(decoding: bytes) }
        },
        FuzzTarget("efi-program", { bytes throws(MalformedBytes) in try PortableExecutable(decoding: bytes) }) {
            bytes, program in
            let digest = program.authenticodeDigest(SHA256.self)
            for section in program.sections {
                expect(section.content.upperBound <= bytes.count, "a section beyond the end")
            }
            // Without a signature, a byte after the end is one more to measure.
            guard let longer = try? PortableExecutable(decoding: bytes + [1]) else { return }
            expect(longer.authenticodeDigest(SHA256.self) != digest, "a byte after the end is not measured")
        },
        FuzzTarget("unified-kernel", { bytes throws(MalformedBytes) in try UnifiedKernel(decoding: bytes) }) {
            _, kernel in
            expect(!kernel.kernelBytes.isEmpty && !kernel.initrdBytes.isEmpty, "a part is missing")
            guard let boot = try? MeasuredBoot(kernel) else { return }
            expect(boot.platformRegisters.values.allSatisfy { $0.count == 32 }, "a PCR of another length")
            let registers = try? boot.runtimeRegisters()
            expect(registers?.values.allSatisfy { $0.count == 48 } ?? true, "an RTMR of another length")
        },
        FuzzTarget("linux-kernel", { bytes throws(MalformedBytes) in try LinuxKernel(decoding: bytes) }) { _, kernel in
            expect(kernel.release.hasPrefix("\(kernel.major)") || kernel.release.hasPrefix("0"), "another version")
        },
    ]
}
