// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import Builds
internal import ByteCoding
internal import StrictJSON

/// One image of a list or a policy.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `platform` | string | that measured it: `snp`, `tdx`, `az-snp`, `az-tdx`, `vtpm`, or `gcp-` of the first two |
/// | `name`, `version` | string | what it is of, for people |
/// | `registers` | object | hexadecimal, by the register's name in its manual; all of them must agree |
enum ImageEntry {
    static let keys = ["platform", "name", "version", "registers"]

    static func images(_ members: PolicyMembers, _ key: String) throws(PolicyError) -> [KnownImage] {
        var images: [KnownImage] = []
        for entry in try members.list(key, known: keys) { images.append(try image(entry)) }
        return images
    }

    static func json(_ image: KnownImage) -> JSONValue {
        [
            "platform": .string(image.platform.rawValue), "name": .string(image.name),
            "version": .string(image.version),
            "registers": .object(image.registers.mapValues { .string(Hex.encode($0)) }),
        ]
    }

    private static func image(_ entry: PolicyMembers) throws(PolicyError) -> KnownImage {
        for key in keys { try entry.required(key) }
        let measuring = Platform.allCases.filter { $0 != .software }
        let names = try entry.names("platform", of: measuring.map(\.rawValue)) ?? []
        guard names.count == 1, let platform = Platform(rawValue: names[0]) else {
            throw entry.wrong("platform", "one platform")
        }
        return KnownImage(
            platform: platform, name: try entry.text("name") ?? "", version: try entry.text("version") ?? "",
            registers: try registers(entry, of: platform))
    }

    private static func registers(
        _ entry: PolicyMembers, of platform: Platform
    ) throws(PolicyError) -> [String: [UInt8]] {
        let sizes = sizes(of: platform)
        guard let members = try entry.inner("registers", known: sizes.keys.sorted()) else { return [:] }
        guard !members.keys.isEmpty else { throw entry.wrong("registers", "at least one register") }
        var registers: [String: [UInt8]] = [:]
        for name in members.keys { registers[name] = try members.hex(name, count: sizes[name] ?? 0) }
        return registers
    }

    /// The registers that a platform's evidence proves, and their bytes.
    private static func sizes(of platform: Platform) -> [String: Int] {
        let snp = ["MEASUREMENT": 48]
        let tdx = Dictionary(
            uniqueKeysWithValues: ["MRTD", "MRCONFIGID", "RTMR0", "RTMR1", "RTMR2", "RTMR3"].map { ($0, 48) })
        let pcrs = Dictionary(uniqueKeysWithValues: (0...23).map { ("PCR\($0)", 32) })
        switch platform.family {
        case .snp: return snp
        case .tdx: return tdx
        case .azureSNP: return snp.merging(pcrs) { first, _ in first }
        case .azureTDX: return tdx.merging(pcrs) { first, _ in first }
        default: return pcrs
        }
    }
}
