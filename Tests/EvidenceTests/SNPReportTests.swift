// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite struct SNPReportTests {
    /// A report of version 5 with a different byte in every field.
    static let sample: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: SNPReport.size)
        bytes[0x000] = 5
        bytes[0x004] = 7
        bytes.replaceSubrange(0x008..<0x010, with: [0x1F, 1, 0x03, 0x02, 0, 0, 0, 0])
        for (index, range) in [
            0x010..<0x020, 0x020..<0x030, 0x050..<0x090, 0x090..<0x0C0, 0x0C0..<0x0E0, 0x0E0..<0x110, 0x110..<0x140,
            0x140..<0x160, 0x160..<0x180, 0x1A0..<0x1E0, 0x2A0..<0x2D0, 0x2E8..<0x318,
        ].enumerated() {
            for place in range { bytes[place] = UInt8(truncatingIfNeeded: place &+ index &* 17) }
        }
        bytes[0x030] = 1
        bytes[0x034] = 1
        for (index, place) in [0x038, 0x180, 0x1E0, 0x1F0, 0x1F8, 0x200].enumerated() {
            for byte in 0..<8 { bytes[place + byte] = UInt8(10 * index + byte + 1) }
        }
        bytes[0x040] = 0x25
        bytes[0x048] = 5
        bytes.replaceSubrange(0x188..<0x18B, with: [0x1A, 0x02, 0x01])
        bytes.replaceSubrange(0x1E8..<0x1F0, with: [4, 52, 1, 0, 3, 51, 1, 0])
        return bytes
    }()

    @Test func everyFieldIsReadFromItsPlace() throws {
        let report = try SNPReport(decoding: Self.sample)
        #expect(report.version == 5 && report.guestSVN == 7 && report.vmpl == 1 && report.signatureAlgorithm == 1)
        #expect(report.policy.abiMinor == 0x1F && report.policy.abiMajor == 1 && report.policy.allowsSMT)
        #expect(!report.policy.allowsDebug && report.policy.requiresPageSwapDisabled)
        #expect(report.platformInfo == [.smtEnabled, .eccEnabled, .aliasCheckComplete])
        #expect(report.flags.signingKey == .vlek && report.flags.authorKeyEnabled && !report.flags.masksChipKey)
        #expect(report.reportData == Array(Self.sample[0x050..<0x090]))
        #expect(report.measurement == Array(Self.sample[0x090..<0x0C0]))
        #expect(report.chipID == Array(Self.sample[0x1A0..<0x1E0]))
        #expect(report.reportedTCB.bytes == [11, 12, 13, 14, 15, 16, 17, 18])
        #expect(report.cpuid?.product == .turin)
        #expect(report.currentFirmware.description == "1.52.4" && report.committedFirmware.description == "1.51.3")
        #expect(
            report.mitigations?.launch == 0x302F_2E2D_2C2B_2A29 && report.mitigations?.current == 0x3A39_3837_3635_3433)
        #expect(report.signature == Self.sample[0x2A0..<0x2D0].reversed() + Self.sample[0x2E8..<0x318].reversed())
        #expect(report.signedBytes == Array(Self.sample[..<0x2A0]))
        #expect(report.encoded == Self.sample)
    }

    @Test func theTCBIsLaidOutByProduct() throws {
        let tcb = try SNPReport(decoding: Self.sample).reportedTCB
        #expect(tcb.parts(of: .turin) == SNPTCBParts(fmc: 11, bootloader: 12, tee: 13, snp: 14, microcode: 18))
        for product in [SNPProduct.milan, .genoa] {
            #expect(tcb.parts(of: product) == SNPTCBParts(bootloader: 11, tee: 12, snp: 17, microcode: 18))
        }
        #expect(tcb.parts(of: .turin).named.map(\.name) == ["fmc", "bootloader", "tee", "snp", "microcode"])
    }

    @Test(
        arguments: [
            (0x19, 0x00, .milan), (0x19, 0x0F, .milan), (0x19, 0x10, .genoa), (0x19, 0x1F, .genoa), (0x19, 0x20, nil),
            (0x19, 0xA0, .genoa), (0x19, 0xAF, .genoa), (0x19, 0xB0, nil), (0x1A, 0x00, .turin), (0x1A, 0x11, .turin),
            (0x1A, 0x12, nil), (0x17, 0x31, nil),
        ] as [(UInt8, UInt8, SNPProduct?)])
    func theProductFollowsFromTheProcessor(family: UInt8, model: UInt8, product: SNPProduct?) {
        #expect(SNPProduct(family: family, model: model) == product)
    }

    /// (what, where, byte, the field that is named)
    @Test(
        arguments: [
            ("version 1", 0x000, 1, "VERSION"), ("version 4", 0x000, 4, "VERSION"), ("version 6", 0x000, 6, "VERSION"),
            ("version 2 with a processor", 0x000, 2, "reserved"),
            ("version 3 with mitigations", 0x000, 3, "reserved"),
            ("policy bit 17 zero", 0x00A, 0x01, "POLICY"), ("policy bit 26", 0x00B, 0x06, "POLICY"),
            ("policy bit 63", 0x00F, 0x80, "POLICY"), ("signing key 2", 0x048, 8, "SIGNING_KEY"),
            ("flag bit 5", 0x048, 0x20, "SIGNING_KEY"), ("0x04C", 0x04C, 1, "reserved"),
            ("0x04F", 0x04F, 1, "reserved"),
            ("0x18B", 0x18B, 1, "reserved"), ("0x19F", 0x19F, 1, "reserved"), ("0x1EB", 0x1EB, 1, "reserved"),
            ("0x1EF", 0x1EF, 1, "reserved"), ("0x208", 0x208, 1, "reserved"), ("0x29F", 0x29F, 1, "reserved"),
            ("0x2D0", 0x2D0, 1, "SIGNATURE r, bytes 48 to 71"), ("0x2E7", 0x2E7, 1, "SIGNATURE r, bytes 48 to 71"),
            ("0x318", 0x318, 1, "SIGNATURE s, bytes 48 to 71"), ("0x330", 0x330, 1, "reserved"),
            ("0x49F", 0x49F, 1, "reserved"),
        ] as [(String, Int, UInt8, String)])
    func whatIsReservedOrUnknownIsRefused(name: String, place: Int, byte: UInt8, field: String) throws {
        var bytes = Self.sample
        bytes[place] = byte
        let error = try #require(throws: MalformedBytes.self) { try SNPReport(decoding: bytes) }
        #expect(error.field == field)
    }

    @Test func noPrefixAndNothingLongerIsAReport() {
        for count in 0..<SNPReport.size {
            #expect(throws: MalformedBytes.self) { try SNPReport(decoding: Array(Self.sample[..<count])) }
        }
        #expect(throws: MalformedBytes.self) { try SNPReport(decoding: Self.sample + [0]) }
    }

    /// What decodes is encoded as it was: no byte is dropped.
    @Test func everyByteThatDecodesComesBack() {
        for place in Self.sample.indices {
            for flip: UInt8 in [1, 0x80, 0xFF] {
                var bytes = Self.sample
                bytes[place] ^= flip
                guard let report = try? SNPReport(decoding: bytes) else { continue }
                #expect(report.encoded == bytes, "byte \(place)")
            }
        }
    }
}

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct SNPReportVectorTests {
    /// Vectors whose fault is in the form: the decoder refuses them.
    static let malformed: Set<String> = [
        "neg-sig-reserved-nonzero", "neg-truncated", "neg-empty", "neg-flip-version", "neg-sig-bigendian",
    ]

    /// Facts that need the certificate: the appraisal's tests assert them.
    static let ofTheAppraisal: Set<String> = [
        "signature_valid", "chain_valid_to_ark", "chain_issuer_cn", "ark_product", "product_consistent",
        "overall_valid", "product_from_vek", "parse_error",
    ]

    @Test(arguments: SharedVector.all("snp", check: "snp"))
    func everyFactOfAReportIsAsExpected(vector: SharedVector) throws {
        guard !Self.malformed.contains(vector.id) else {
            #expect(throws: MalformedBytes.self) { try SNPReport(decoding: vector.bytes("report")) }
            return
        }
        let bytes = try vector.bytes("report")
        let report = try SNPReport(decoding: bytes)
        #expect(report.encoded == bytes)
        let left = vector.compare(SNPFacts.of(report)).subtracting(Self.ofTheAppraisal)
        #expect(left.allSatisfy { $0.hasPrefix("vek_") }, "\(left)")
    }

    @Test func allOfThemAreThere() { #expect(SharedVector.all("snp", check: "snp").count == 41) }

    @Test func theCertificateTableIsRead() throws {
        let vector = try #require(
            SharedVector.all("snp", check: "snp").first { $0.id == "genoa-v3-tsm-auxblob" })
        let table = try SNPCertificateTable(decoding: vector.bytes("auxblob"))
        let rows = table.entries.map { entry -> JSONValue in
            [
                "guid": .string(Hex.encode(entry.guid)), "offset": .integer(Int(entry.offset)),
                "length": .integer(entry.content.count),
            ]
        }
        #expect(vector.json["args"]?["auxblob_table"] == .array(rows))
        for kind in [SNPCertificateTable.Kind.vcek, .ask, .ark] {
            #expect(table.content(kind)?.starts(with: Array("-----BEGIN".utf8)) == true)
        }
        #expect(table.content(.vlek) == nil)
    }
}

/// The facts of the vectors' index that a report alone gives.
enum SNPFacts {
    static func of(_ report: SNPReport) -> [String: JSONValue] {
        var facts = identity(report).merging(contents(report)) { $1 }
        let product = report.cpuid?.product
        for (name, tcb) in [
            ("current_tcb", report.currentTCB), ("reported_tcb", report.reportedTCB),
            ("committed_tcb", report.committedTCB), ("launch_tcb", report.launchTCB),
        ] {
            facts[name + "_raw"] = .string(Hex.encode(tcb.bytes))
            facts[name] = parts(tcb.parts(of: product ?? .milan))
        }
        if let cpuid = report.cpuid {
            facts["cpuid"] = [
                "family": .integer(Int(cpuid.family)), "model": .integer(Int(cpuid.model)),
                "stepping": .integer(Int(cpuid.stepping)),
            ]
            facts["product_from_cpuid"] = .string(product?.rawValue ?? "unknown")
        }
        if let mitigations = report.mitigations {
            facts["launch_mit_vector"] = .string("0x" + String(mitigations.launch, radix: 16))
            facts["current_mit_vector"] = .string("0x" + String(mitigations.current, radix: 16))
        }
        return facts
    }

    static func parts(_ parts: SNPTCBParts) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: parts.named.map { ($0.name, .integer(Int($0.value))) }))
    }

    private static func identity(_ report: SNPReport) -> [String: JSONValue] {
        let policy = report.policy
        let info = report.platformInfo
        let key: String =
            switch report.flags.signingKey {
            case .vcek: "VCEK"
            case .vlek: "VLEK"
            case .none: "NONE"
            }
        return [
            "version": .integer(Int(report.version)), "guest_svn": .integer(Int(report.guestSVN)),
            "policy": .string("0x" + String(policy.rawValue, radix: 16)),
            "abi_minor": .integer(Int(policy.abiMinor)), "abi_major": .integer(Int(policy.abiMajor)),
            "policy_reserved_bit17": 1, "debug": .bool(policy.allowsDebug),
            "policy_bits": [
                "smt": bit(policy.allowsSMT), "migrate_ma": bit(policy.allowsMigrationAgent),
                "debug": bit(policy.allowsDebug), "single_socket": bit(policy.requiresSingleSocket),
                "cxl_allow": bit(policy.allowsCXL), "mem_aes_256_xts": bit(policy.requiresAES256XTS),
                "rapl_dis": bit(policy.requiresRAPLDisabled),
                "ciphertext_hiding_dram": bit(policy.requiresCiphertextHiding),
                "page_swap_disable": bit(policy.requiresPageSwapDisabled),
            ],
            "platform_info": .string("0x" + String(info.rawValue, radix: 16)),
            "platform_info_bits": [
                "smt_en": bit(info.contains(.smtEnabled)), "tsme_en": bit(info.contains(.tsmeEnabled)),
                "ecc_en": bit(info.contains(.eccEnabled)), "rapl_dis": bit(info.contains(.raplDisabled)),
                "ciphertext_hiding_dram_en": bit(info.contains(.ciphertextHidingEnabled)),
                "alias_check_complete": bit(info.contains(.aliasCheckComplete)),
                "tio_en": bit(info.contains(.trustedIOEnabled)),
            ],
            "flags": .string("0x" + String(report.flags.rawValue, radix: 16)),
            "author_key_en": bit(report.flags.authorKeyEnabled), "mask_chip_key": bit(report.flags.masksChipKey),
            "signing_key": .string(key),
        ]
    }

    private static func contents(_ report: SNPReport) -> [String: JSONValue] {
        [
            "vmpl": .integer(Int(report.vmpl)), "signature_algo": .integer(Int(report.signatureAlgorithm)),
            "family_id": hex(report.familyID), "image_id": hex(report.imageID),
            "report_data": hex(report.reportData), "measurement": hex(report.measurement),
            "host_data": hex(report.hostData), "id_key_digest": hex(report.idKeyDigest),
            "author_key_digest": hex(report.authorKeyDigest), "report_id": hex(report.reportID),
            "report_id_ma": hex(report.reportIDMA), "chip_id": hex(report.chipID),
            "chip_id_masked": .bool(report.chipID.allSatisfy { $0 == 0 }),
            "current_fw": .string(report.currentFirmware.description),
            "committed_fw": .string(report.committedFirmware.description),
        ]
    }

    private static func bit(_ value: Bool) -> JSONValue { value ? 1 : 0 }
    private static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
}
