// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import Evidence

/// The names and order of the Intel TDX DCAP Quoting Library API, appendix A.
extension IntelQuote {
    var inspected: [InspectedField] {
        header + [bodyField] + signature.inspected(isWrapped: version > 3, at: signedBytes.count) + [paddingField]
    }

    private var header: [InspectedField] {
        let teeName = tee == .tdx ? "TDX" : "SGX"
        return [
            InspectedField(
                "header",
                parts: [
                    .number("version", version),
                    .number("attestation key type", attestationKeyType, "ECDSA P-256 with SHA-256"),
                    .hex("TEE type", tee.rawValue, teeName),
                    .bytes("reserved", reserved, version == 3 ? "QE SVN and PCE SVN" : nil),
                    .bytes("QE vendor id", qeVendorID), .bytes("user data", userData),
                ]),
            .text("body type", bodyType.name, bodyType.meaning),
        ]
            + (version == 5
                ? [.number("body descriptor type", bodyType.number), .number("body size", bodyType.size)] : [])
            + [.number("signed bytes", UInt64(signedBytes.count), "header and body, which the attestation key signs")]
    }

    private var bodyType: (name: String, number: UInt64, size: UInt64, meaning: String) {
        switch body {
        case .enclave: ("SGX", 1, 384, "an enclave's report")
        case .trustDomain(let report) where report.extended == nil: ("TD10", 2, 584, "TD Quote Body 1.0")
        case .trustDomain: ("TD15", 3, 648, "TD Quote Body 1.5")
        }
    }

    private var bodyField: InspectedField {
        switch body {
        case .enclave(let report): InspectedField("body", parts: report.inspected)
        case .trustDomain(let report): InspectedField("body", parts: report.inspected)
        }
    }

    private var paddingField: InspectedField {
        InspectedField(
            "padding", "follows the signature data; nothing signs it",
            parts: [
                .number("size", UInt64(padding.count)),
                InspectedField("all zero", .flag(padding.allSatisfy { $0 == 0 })),
            ])
    }
}

extension QuoteSignature {
    fileprivate func inspected(isWrapped: Bool, at offset: Int) -> [InspectedField] {
        let start = offset + 4
        let report = start + (isWrapped ? 134 : 128)
        let length = UInt64((isWrapped ? 134 : 128) + 384 + 64 + 2 + qeAuthenticationData.count + 6 + pckChain.count)
        return [
            InspectedField(
                "signature data",
                parts: [
                    .number("offset", UInt64(start)), .number("size", length),
                    .bytes("signature", signature, "r and s, by the attestation key"),
                    .bytes("attestation key", attestationKey, "x and y of a point on P-256"),
                    .number("QE report offset", UInt64(report)),
                    InspectedField("QE report", parts: qeReport.inspected),
                    .bytes("QE report signature", qeReportSignature, "r and s, by the PCK certificate's key"),
                    .bytes("QE authentication data", qeAuthenticationData),
                    .number(
                        "certification data type", UInt64(QuoteSignature.pckChainType), "the PCK certificate chain"),
                    certificates,
                ])
        ]
    }

    private var certificates: InspectedField {
        do {
            return .list(
                "certification data", try PEM.decode(pckChain, label: "CERTIFICATE").map(Certificate.inspected))
        } catch {
            return InspectedField("certification data", .malformed(error.description))
        }
    }
}

extension EnclaveReport {
    /// Names of the Intel SDM 3D, REPORT.
    var inspected: [InspectedField] {
        [
            .bytes("CPUSVN", cpuSVN), .bytes("MISCSELECT", miscSelect), .bytes("ISVEXTPRODID", isvExtProductID),
            InspectedField(
                "ATTRIBUTES", .bytes(attributes),
                parts: [
                    .bit(
                        "DEBUG", isDebug, "the enclave's memory can be read from outside", else: "a production enclave")
                ]),
            .bytes("MRENCLAVE", mrEnclave, "measurement of the enclave"),
            .bytes("MRSIGNER", mrSigner, "digest of its signer's key"), .bytes("CONFIGID", configID),
            .number("ISVPRODID", isvProductID), .number("ISVSVN", isvSVN), .number("CONFIGSVN", configSVN),
            .bytes("ISVFAMILYID", isvFamilyID), .callerBytes("REPORTDATA", reportData),
        ]
    }
}

extension TDReport {
    /// Names of TD Quote Body 1.0 and 1.5.
    fileprivate var inspected: [InspectedField] {
        let identity: [InspectedField] = [
            .bytes("TEE_TCB_SVN", teeTCBSVN, "security versions of the TDX module"),
            .bytes("MRSEAM", mrSeam, "measurement of the TDX module"),
            .bytes("MRSIGNERSEAM", mrSignerSeam, mrSignerSeam.allSatisfy { $0 == 0 } ? "zero: Intel's module" : nil),
            .hex(
                "SEAMATTRIBUTES", seamAttributes, seamAttributes == 0 ? "a production module" : "no production module"),
            attributes.inspected, .hex("XFAM", xfam, "processor features of the TD"),
        ]
        let measured: [InspectedField] =
            [
                .bytes("MRTD", mrTD, "measurement of the TD's initial memory"), .bytes("MRCONFIGID", mrConfigID),
                .bytes("MROWNER", mrOwner), .bytes("MROWNERCONFIG", mrOwnerConfig),
            ] + rtmrs.enumerated().map { .bytes("RTMR\($0.offset)", $0.element) }
        let added: [InspectedField] =
            extended.map {
                [
                    .bytes("TEE_TCB_SVN_2", $0.teeTCBSVN2, "security versions of the module that runs now"),
                    .bytes(
                        "MRSERVICETD", $0.mrServiceTD, $0.mrServiceTD.allSatisfy { $0 == 0 } ? "no service TD" : nil),
                ]
            } ?? []
        return identity + measured + [.callerBytes("REPORTDATA", reportData, "the TD's bytes")] + added
    }
}

extension TDAttributes {
    var inspected: InspectedField {
        .hex(
            "TDATTRIBUTES", rawValue, "how the TD was set up",
            parts: [
                .bit(
                    "DEBUG", contains(.debug), "the host can read and write the TD: nothing is confidential",
                    else: "the host cannot debug the TD"),
                .bit(
                    "SEPT_VE_DISABLE", contains(.septVEDisable), "the host cannot inject exceptions by unmapping pages",
                    else: "the host can inject exceptions by unmapping pages"),
                .bit("MIGRATABLE", contains(.migratable), "the TD can be moved to another machine"),
                .bit("PKS", contains(.pks), "supervisor protection keys"),
                .bit("KL", contains(.keyLocker), "key locker"),
                .bit("PERFMON", contains(.perfmon), "the TD can use the performance counters"),
            ])
    }
}
