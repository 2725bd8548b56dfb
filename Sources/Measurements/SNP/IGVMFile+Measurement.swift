// SPDX-License-Identifier: Apache-2.0

extension IGVMFile {
    /// How pages without content are launched. The specification wants pages that hold zeros, whose content is measured;
    /// QEMU launches them as the hardware's own zero pages, whose content is not.
    public enum ZeroPages: Sendable {
        case asTheHardwares
        case asContent
    }

    /// Processors whose state it holds. KVM measures one for each processor of the guest, and only those of the file are
    /// known: this is how many the guest must have.
    public var processors: Int {
        directives.reduce(0) { count, directive in
            if case .saveArea = directive { count + 1 } else { count }
        }
    }

    /// MEASUREMENT, 48 bytes: as the file's ID block states it, which is checked, or as QEMU launches it.
    ///
    /// Throws where an ID block states another digest than either way of launching zero pages gives: no such guest can
    /// start.
    public func measurement() throws(MeasurementError) -> [UInt8] {
        let launched = digest(zeroPages: .asTheHardwares)
        guard let statedDigest, statedDigest != launched else { return launched }
        guard statedDigest == digest(zeroPages: .asContent) else {
            throw MeasurementError("the IGVM file's ID block states another launch digest than its pages have")
        }
        return statedDigest
    }

    /// MEASUREMENT, whatever the file's ID block states.
    public func digest(zeroPages: ZeroPages) -> [UInt8] {
        var digest = SNPLaunchDigest()
        let zeros = [UInt8](repeating: 0, count: SNPLaunchDigest.pageSize)
        for directive in directives {
            switch directive {
            case .page(.normal, let address, let content?): digest.add(.normal, at: address, Array(bytes[content]))
            case .page(.normal, let address, nil):
                if zeroPages == .asContent {
                    digest.add(.normal, at: address, zeros)
                } else {
                    digest.add(.zero, at: address)
                }
            case .page(let type, let address, _): digest.add(type, at: address)
            case .unmeasured(let address, let size): digest.add(.unmeasured, at: address, size: size)
            case .saveArea(let address, let content, _): digest.add(.saveArea, at: address, Array(bytes[content]))
            }
        }
        return digest.value
    }
}
