// SPDX-License-Identifier: Apache-2.0
internal import Evidence

/// The names and order of AMD 56860, ATTESTATION_REPORT.
extension SNPReport {
    /// - Parameter product: the product line where something besides the report says it; version 2 does not.
    func inspected(product: SNPProduct? = nil) -> [InspectedField] {
        let product = cpuid?.product ?? product
        return identity(product) + measured + platform(product)
    }

    private func identity(_ product: SNPProduct?) -> [InspectedField] {
        [
            .number("VERSION", version), .number("GUEST_SVN", guestSVN, "security version of the guest"),
            policy.inspected, .bytes("FAMILY_ID", familyID), .bytes("IMAGE_ID", imageID),
            .number("VMPL", vmpl, Self.meaning(ofVMPL: vmpl)),
            .number(
                "SIGNATURE_ALGO", signatureAlgorithm, signatureAlgorithm == 1 ? "ECDSA P-384 with SHA-384" : "unknown"),
            currentTCB.inspected("CURRENT_TCB", product), platformInfo.inspected, flags.inspected,
        ]
    }

    private var measured: [InspectedField] {
        [
            .callerBytes("REPORT_DATA", reportData, "the guest's bytes"),
            .bytes("MEASUREMENT", measurement, "launch digest, SHA-384"),
            .bytes("HOST_DATA", hostData), .bytes("ID_KEY_DIGEST", idKeyDigest),
            .bytes("AUTHOR_KEY_DIGEST", authorKeyDigest), .bytes("REPORT_ID", reportID),
            .bytes("REPORT_ID_MA", reportIDMA, reportIDMA.allSatisfy { $0 == 0xFF } ? "no migration agent" : nil),
        ]
    }

    private func platform(_ product: SNPProduct?) -> [InspectedField] {
        var fields = [reportedTCB.inspected("REPORTED_TCB", product)]
        if let cpuid {
            fields += [
                .hex("CPUID_FAM_ID", cpuid.family), .hex("CPUID_MOD_ID", cpuid.model),
                .hex("CPUID_STEP", cpuid.stepping),
            ]
        }
        fields.append(
            InspectedField("product", product.map { .text($0.rawValue) } ?? .absent, Self.source(product, cpuid)))
        let isMasked = chipID.allSatisfy { $0 == 0 }
        fields += [
            .bytes("CHIP_ID", chipID, isMasked ? "zero: withheld, or signed by a VLEK" : nil),
            committedTCB.inspected("COMMITTED_TCB", product), currentFirmware.inspected("CURRENT"),
            committedFirmware.inspected("COMMITTED"), launchTCB.inspected("LAUNCH_TCB", product),
        ]
        if let mitigations {
            fields += [
                .hex("LAUNCH_MIT_VECTOR", mitigations.launch), .hex("CURRENT_MIT_VECTOR", mitigations.current),
            ]
        }
        return fields + [
            InspectedField(
                "SIGNATURE", parts: [.bytes("R", Array(signature[..<48])), .bytes("S", Array(signature[48...]))])
        ]
    }

    private static func meaning(ofVMPL level: UInt32) -> String? {
        switch level {
        case 0: "the most privileged level asked"
        case 1...3: nil
        case .max: "the host asked, not the guest"
        default: "no such level"
        }
    }

    private static func source(_ product: SNPProduct?, _ cpuid: SNPProcessorID?) -> String {
        guard let product else {
            return cpuid == nil
                ? "this version does not say; security versions are read as those of Milan and Genoa"
                : "a processor that is not known; security versions are read as those of Milan and Genoa"
        }
        let names = product == .genoa ? "Genoa, Bergamo or Siena" : product.rawValue
        return cpuid == nil ? "\(names), by the certificate" : "\(names), by CPUID"
    }
}

extension SNPGuestPolicy {
    var inspected: InspectedField {
        .hex(
            "POLICY", rawValue, "what the guest's owner demanded at launch",
            parts: [
                .number("ABI_MAJOR", abiMajor, "least firmware ABI"),
                .number("ABI_MINOR", abiMinor, "least firmware ABI"),
                .bit("SMT", allowsSMT, "hyper-threading is allowed", else: "hyper-threading must be off"),
                .bit(
                    "MIGRATE_MA", allowsMigrationAgent, "a migration agent may move the guest",
                    else: "no migration agent"),
                .bit(
                    "DEBUG", allowsDebug, "the host may read and write the guest: nothing is confidential",
                    else: "the host may not debug the guest"),
                .bit("SINGLE_SOCKET", requiresSingleSocket, "only one socket", else: "several sockets are allowed"),
                .bit("CXL_ALLOW", allowsCXL, "CXL devices are allowed", else: "no CXL devices"),
                .bit(
                    "MEM_AES_256_XTS", requiresAES256XTS, "memory must be encrypted with AES-256-XTS",
                    else: "AES-128 is allowed"),
                .bit(
                    "RAPL_DIS", requiresRAPLDisabled, "the power meter must be off", else: "the power meter is allowed"),
                .bit(
                    "CIPHERTEXT_HIDING_DRAM", requiresCiphertextHiding, "ciphertext must be hidden from the host",
                    else: "the host may see ciphertext"),
                .bit(
                    "PAGE_SWAP_DISABLE", requiresPageSwapDisabled, "pages must not be swapped",
                    else: "pages may be swapped"),
            ])
    }
}

extension SNPPlatformInfo {
    var inspected: InspectedField {
        .hex(
            "PLATFORM_INFO", rawValue, "how the platform is set up",
            parts: [
                .bit("SMT_EN", contains(.smtEnabled), "hyper-threading is on", else: "hyper-threading is off"),
                .bit(
                    "TSME_EN", contains(.tsmeEnabled), "all memory is encrypted",
                    else: "only guests' memory is encrypted"),
                .bit("ECC_EN", contains(.eccEnabled), "memory has error correction", else: "no error correction"),
                .bit("RAPL_DIS", contains(.raplDisabled), "the power meter is off", else: "the power meter is on"),
                .bit(
                    "CIPHERTEXT_HIDING_DRAM_EN", contains(.ciphertextHidingEnabled),
                    "ciphertext is hidden from the host",
                    else: "the host can see ciphertext"),
                .bit(
                    "ALIAS_CHECK_COMPLETE", contains(.aliasCheckComplete), "no memory appears twice",
                    else: "not checked for memory that appears twice"),
                .bit(
                    "TIO_EN", contains(.trustedIOEnabled), "trusted input and output",
                    else: "no trusted input and output"),
            ])
    }
}

extension SNPSigningFlags {
    fileprivate var inspected: InspectedField {
        let (name, meaning) =
            switch signingKey {
            case .vcek: ("VCEK", "the chip's own key")
            case .vlek: ("VLEK", "a key that AMD gave to a cloud provider")
            case .none: ("NONE", "the report is not signed")
            }
        return .hex(
            "flags", rawValue,
            parts: [
                .text("SIGNING_KEY", name, meaning),
                .bit("MASK_CHIP_KEY", masksChipKey, "chip id and key are withheld from guests"),
                .bit("AUTHOR_KEY_EN", authorKeyEnabled, "AUTHOR_KEY_DIGEST means something", else: "no author key"),
            ])
    }
}

extension SNPTCBVersion {
    fileprivate func inspected(_ name: String, _ product: SNPProduct?) -> InspectedField {
        InspectedField(name, .bytes(bytes), parts: parts(of: product ?? .milan).inspected)
    }
}

extension SNPTCBParts {
    /// The names of AMD 56860, TCB_VERSION.
    var inspected: [InspectedField] {
        (fmc.map { [.number("FMC", $0)] } ?? []) + [
            .number("BOOT_LOADER", bootloader), .number("TEE", tee), .number("SNP", snp),
            .number("MICROCODE", microcode),
        ]
    }
}

extension SNPFirmwareVersion {
    fileprivate func inspected(_ prefix: String) -> InspectedField {
        InspectedField(
            "\(prefix)_VERSION", .text(description),
            parts: [
                .number("\(prefix)_MAJOR", major), .number("\(prefix)_MINOR", minor), .number("\(prefix)_BUILD", build),
            ])
    }
}
