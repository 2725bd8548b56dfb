// SPDX-License-Identifier: Apache-2.0

/// Who launches the guest: what the processors start with, and which pages are launched how, differ.
public enum SNPHypervisor: String, CaseIterable, Sendable {
    /// QEMU with KVM.
    case qemu
    /// Amazon's, Google's; known from guests that ran there, and from no source.
    case ec2, gce
}

/// A guest of SEV-SNP that starts from OVMF: what MEASUREMENT will be in its reports (AMD 56860, ATTESTATION_REPORT).
///
/// Memory, disks, networks and HOST_DATA are not in it. The count and the kind of its processors are.
public struct SNPLaunch: Sendable {
    /// Processors; QEMU has no machine with more.
    public static let maximumProcessors = 4096

    private let firmware: SNPFirmware
    private let hypervisor: SNPHypervisor
    /// All but the processors.
    private let pages: SNPLaunchDigest

    /// - Parameter kernel: what the hypervisor is given beside the firmware; `nil` where it boots from a disk: the digest
    ///   then says only which firmware ran, and fits whatever that starts.
    ///
    /// Throws where a kernel is given and the firmware has no place for its digests: it would boot any kernel.
    public init(
        firmware: SNPFirmware, kernel: SNPKernelHashes?, hypervisor: SNPHypervisor = .qemu
    ) throws(MeasurementError) {
        self.firmware = firmware
        self.hypervisor = hypervisor
        var digest = SNPLaunchDigest()
        digest.add(.normal, at: (1 << 32) - UInt64(firmware.bytes.count), firmware.bytes)
        let hashes = try kernel.map { kernel throws(MeasurementError) in try Self.page(kernel, firmware) }
        for section in firmware.sections where !(section.kind == .cpuid && hypervisor == .ec2) {
            Self.add(section, hashes, to: &digest, gce: hypervisor == .gce)
        }
        if hypervisor == .ec2 {
            for section in firmware.sections where section.kind == .cpuid { digest.add(.cpuid, at: section.address) }
        }
        pages = digest
    }

    /// MEASUREMENT, 48 bytes.
    ///
    /// - Parameters:
    ///   - processors: at least one.
    ///   - features: SEV_FEATURES of the save areas: bit 0 is SNP; KVM sets no other unless it is told to.
    public func measurement(processors: Int, kind: SNPProcessor, features: UInt64 = 1) -> [UInt8] {
        precondition((1...Self.maximumProcessors).contains(processors), "\(processors) processors")
        var digest = pages
        for index in 0..<min(processors, 2) {
            let start = index == 0 ? SNPSaveArea.firstAddress : firmware.resetAddress
            let area = SNPSaveArea(
                start: start, signature: kind.signature, features: features, hypervisor: hypervisor)
            let page = area.page
            for _ in 0..<(index == 0 ? 1 : processors - 1) {
                digest.add(.saveArea, at: SNPLaunchDigest.saveAreaAddress, page)
            }
        }
        return digest.value
    }

    private static func page(
        _ kernel: SNPKernelHashes, _ firmware: SNPFirmware
    ) throws(MeasurementError) -> [UInt8] {
        guard let section = firmware.sections.first(where: { $0.kind == .kernelHashes }),
            let table = firmware.hashTableAddress
        else {
            throw MeasurementError(
                "the firmware has no page for digests of the kernel (SNP_KERNEL_HASHES), so it would start any; use the "
                    + "AmdSev build of OVMF")
        }
        return try kernel.page(at: section.address, table: table)
    }

    private static func add(
        _ section: SNPFirmware.Section, _ hashes: [UInt8]?, to digest: inout SNPLaunchDigest, gce: Bool
    ) {
        switch section.kind {
        case .memory: digest.add(gce ? .unmeasured : .zero, at: section.address, size: section.size)
        case .callingArea: digest.add(.zero, at: section.address, size: section.size)
        case .secrets: digest.add(.secrets, at: section.address)
        case .cpuid: digest.add(.cpuid, at: section.address)
        case .kernelHashes:
            if let hashes {
                digest.add(.normal, at: section.address, hashes)
            } else {
                digest.add(.zero, at: section.address)
            }
        }
    }
}
