// SPDX-License-Identifier: Apache-2.0

/// A product line of AMD's processors, as far as its keys are concerned.
public enum SNPProduct: String, CaseIterable, Sendable {
    case milan = "Milan"
    /// Also Bergamo and Siena, for which the same authority signs.
    case genoa = "Genoa"
    case turin = "Turin"

    /// By CPUID's family and model (AMD 57230, VCEK Certificate and KDS Interface); `nil` for one that is not known.
    public init?(family: UInt8, model: UInt8) {
        switch (family, model) {
        case (0x19, 0x00...0x0F): self = .milan
        case (0x19, 0x10...0x1F), (0x19, 0xA0...0xAF): self = .genoa
        case (0x1A, 0x00...0x11): self = .turin
        default: return nil
        }
    }

    /// Bytes of a chip's id; what follows in a report's field of 64 bytes is zero.
    public var chipIDSize: Int { self == .turin ? 8 : 64 }
}

/// The security versions of a platform's firmware parts, eight bytes whose layout depends on the product
/// (AMD 56860, TCB_VERSION).
///
/// | byte | Milan, Genoa | Turin |
/// |---|---|---|
/// | 0 | BOOT_LOADER | FMC |
/// | 1 | TEE | BOOT_LOADER |
/// | 2 | reserved | TEE |
/// | 3 | reserved | SNP |
/// | 4, 5 | reserved | reserved |
/// | 6 | SNP | reserved |
/// | 7 | MICROCODE | MICROCODE |
public struct SNPTCBVersion: Hashable, Sendable {
    /// As the report holds them, read as a little-endian number.
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Eight bytes, in the report's order.
    public var bytes: [UInt8] { (0..<8).map { byte($0) } }

    public func parts(of product: SNPProduct) -> SNPTCBParts {
        product == .turin
            ? SNPTCBParts(fmc: byte(0), bootloader: byte(1), tee: byte(2), snp: byte(3), microcode: byte(7))
            : SNPTCBParts(fmc: nil, bootloader: byte(0), tee: byte(1), snp: byte(6), microcode: byte(7))
    }

    private func byte(_ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: rawValue >> (8 * index)) }
}

/// The security versions of a platform's firmware parts, by name.
public struct SNPTCBParts: Hashable, Sendable {
    /// `nil` on products that have none, which are those before Turin.
    public var fmc: UInt8?
    public var bootloader: UInt8
    public var tee: UInt8
    public var snp: UInt8
    public var microcode: UInt8

    public init(fmc: UInt8? = nil, bootloader: UInt8, tee: UInt8, snp: UInt8, microcode: UInt8) {
        self.fmc = fmc
        self.bootloader = bootloader
        self.tee = tee
        self.snp = snp
        self.microcode = microcode
    }

    /// Names and values, in the report's order.
    public var named: [(name: String, value: UInt8)] {
        (fmc.map { [("fmc", $0)] } ?? []) + [
            ("bootloader", bootloader), ("tee", tee), ("snp", snp), ("microcode", microcode),
        ]
    }
}
