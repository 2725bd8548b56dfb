// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import Evidence

/// The keys below `snp`. Each is called as the property of ``Appraisal/SNPPolicy`` that it sets.
enum SNPKeys {
    private typealias Flag = WritableKeyPath<SNPPolicy, Bool> & Sendable
    private typealias Bytes = WritableKeyPath<SNPPolicy, [UInt8]?> & Sendable

    private static let flags: [(name: String, path: any Flag)] = [
        ("acceptDebugGuestsUnsafely", \.acceptDebugGuestsUnsafely),
        ("acceptMigrationAgents", \.acceptMigrationAgents),
        ("acceptMaskedChipIDs", \.acceptMaskedChipIDs),
        ("requireRevocationList", \.requireRevocationList),
        ("requireCommittedFirmware", \.requireCommittedFirmware),
    ]

    private static let fields: [(name: String, count: Int, path: any Bytes)] = [
        ("familyID", 16, \.familyID), ("imageID", 16, \.imageID), ("hostData", 32, \.hostData),
        ("idKeyDigest", 48, \.idKeyDigest), ("authorKeyDigest", 48, \.authorKeyDigest),
    ]

    private static let others = [
        "maximumVMPL", "products", "signingKeys", "providers", "chipIDs", "minimumTCB", "minimumLaunchTCB",
        "minimumFirmware", "requiredLaunchMitigations", "requiredMitigations", "platformRequirements",
        "guestRequirements", "minimumABI", "minimumGuestSVN",
    ]

    static var known: [String] { flags.map(\.name) + fields.map(\.name) + others }

    static func policy(_ section: PolicyMembers) throws(PolicyError) -> SNPPolicy {
        var policy = SNPPolicy()
        for flag in flags {
            if let value = try section.flag(flag.name) { policy[keyPath: flag.path] = value }
        }
        for field in fields { policy[keyPath: field.path] = try section.hex(field.name, count: field.count) }
        if let level = try section.number("maximumVMPL", 0...3) { policy.maximumVMPL = UInt32(level) }
        policy.minimumGuestSVN = try section.number("minimumGuestSVN", 0...Int(UInt32.max)).map { UInt32($0) }
        policy.minimumTCB = try minima(section, "minimumTCB")
        policy.minimumLaunchTCB = try minima(section, "minimumLaunchTCB")
        try readSigner(section, into: &policy)
        try readVersions(section, into: &policy)
        try readRequirements(section, into: &policy)
        return policy
    }

    private static func readSigner(_ section: PolicyMembers, into policy: inout SNPPolicy) throws(PolicyError) {
        if let names = try section.names("products", of: SNPProduct.allCases.map(\.rawValue)) {
            policy.products = Set(names.compactMap { SNPProduct(rawValue: $0) })
        }
        if let names = try section.names("signingKeys", of: ["VCEK", "VLEK"]) {
            policy.signingKeys = Set(names.map { $0 == "VCEK" ? .vcek : .vlek })
        }
        policy.providers = try section.texts("providers").map { Set($0) }
        if let texts = try section.texts("chipIDs") {
            let all = try section.hexes("chipIDs", counts: [8, 64]) ?? []
            guard all.count == texts.count else { throw section.refusal("chipIDs", "one stands twice") }
            policy.chipIDs = all
        }
    }

    private static func readVersions(_ section: PolicyMembers, into policy: inout SNPPolicy) throws(PolicyError) {
        if let parts = try versions(section, "minimumFirmware", ["major", "minor", "build"]) {
            policy.minimumFirmware = SNPFirmwareVersion(major: parts[0], minor: parts[1], build: parts[2])
        }
        if let parts = try versions(section, "minimumABI", ["major", "minor"]) {
            policy.minimumABI = SNPABIVersion(major: parts[0], minor: parts[1])
        }
    }

    private static func readRequirements(_ section: PolicyMembers, into policy: inout SNPPolicy) throws(PolicyError) {
        policy.requiredMitigations = try section.hex("requiredMitigations", count: 8).map(bits)
        policy.requiredLaunchMitigations = try section.hex("requiredLaunchMitigations", count: 8).map(bits)
        let platform = try section.names(
            "platformRequirements", of: SNPPlatformRequirement.allCases.map(\.rawValue))
        policy.platformRequirements = Set((platform ?? []).compactMap { SNPPlatformRequirement(rawValue: $0) })
        let guest = try section.names("guestRequirements", of: SNPGuestRequirement.allCases.map(\.rawValue))
        policy.guestRequirements = Set((guest ?? []).compactMap { SNPGuestRequirement(rawValue: $0) })
    }

    /// Sixteen digits, the highest bit first.
    private static func bits(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// Every part must be named.
    private static func versions(
        _ section: PolicyMembers, _ key: String, _ names: [String]
    ) throws(PolicyError) -> [UInt8]? {
        guard let parts = try section.inner(key, known: names) else { return nil }
        var values: [UInt8] = []
        for name in names {
            try parts.required(name)
            values.append(UInt8(try parts.number(name, 0...255) ?? 0))
        }
        return values
    }

    private static func minima(
        _ section: PolicyMembers, _ key: String
    ) throws(PolicyError) -> [SNPProduct: SNPTCBParts] {
        var minima: [SNPProduct: SNPTCBParts] = [:]
        guard let products = try section.inner(key, known: SNPProduct.allCases.map(\.rawValue)) else { return minima }
        for product in SNPProduct.allCases { minima[product] = try minimum(products, of: product) }
        return minima
    }

    /// Parts that are not named may be anything.
    private static func minimum(
        _ products: PolicyMembers, of product: SNPProduct
    ) throws(PolicyError) -> SNPTCBParts? {
        let names = (product == .turin ? ["fmc"] : []) + ["bootloader", "tee", "snp", "microcode"]
        guard let parts = try products.inner(product.rawValue, known: names) else { return nil }
        func part(_ name: String) throws(PolicyError) -> UInt8 { UInt8(try parts.number(name, 0...255) ?? 0) }
        return SNPTCBParts(
            fmc: product == .turin ? try part("fmc") : nil, bootloader: try part("bootloader"), tee: try part("tee"),
            snp: try part("snp"), microcode: try part("microcode"))
    }
}
