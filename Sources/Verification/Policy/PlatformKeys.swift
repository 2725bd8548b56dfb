// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import Evidence
internal import StrictJSON

/// The keys of a policy file that concern one platform each.
struct PlatformKeys {
    /// Of `tpm`: certificates, or the names of files that hold them.
    static let authorities = "certificateAuthorities"

    private let members: PolicyMembers

    init(_ members: PolicyMembers) { self.members = members }

    func apply(to policy: inout AppraisalPolicy, files: [String: [UInt8]]?) throws(PolicyError) {
        if let section = try members.inner("snp", known: Self.snpKeys) { policy.snp = try Self.snp(section) }
        if let section = try members.inner("tdx", known: TDXKeys.known) { policy.tdx = try TDXKeys.policy(section) }
    }

    private static let snpKeys = [
        "acceptDebugGuestsUnsafely", "acceptMigrationAgents", "maximumVMPL", "minimumTCB", "authorKeyDigest",
    ]

    private static func snp(_ section: PolicyMembers) throws(PolicyError) -> SNPPolicy {
        var policy = SNPPolicy()
        policy.acceptDebugGuestsUnsafely = try section.flag("acceptDebugGuestsUnsafely") ?? false
        policy.acceptMigrationAgents = try section.flag("acceptMigrationAgents") ?? false
        policy.maximumVMPL = UInt32(try section.number("maximumVMPL", 0...3) ?? 3)
        policy.authorKeyDigest = try section.hex("authorKeyDigest", count: 48)
        if let products = try section.inner("minimumTCB", known: SNPProduct.allCases.map(\.rawValue)) {
            for product in SNPProduct.allCases {
                policy.minimumTCB[product] = try minimum(products, of: product)
            }
        }
        return policy
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
