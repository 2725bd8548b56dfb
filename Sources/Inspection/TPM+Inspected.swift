// SPDX-License-Identifier: Apache-2.0
internal import Evidence
internal import StrictJSON

/// The names and order of TPM 2.0 Library part 2, TPMS_ATTEST.
extension TPMAttest {
    var inspected: [InspectedField] {
        [
            .hex("magic", magic, isGeneratedByTPM ? "TPM_GENERATED: made within the TPM" : "not made within a TPM"),
            .hex("type", type, Self.name(ofType: type)), .bytes("qualifiedSigner", qualifiedSigner),
            .callerBytes("extraData", extraData, extraData.isEmpty ? "empty: no nonce" : "the caller's bytes"),
            InspectedField(
                "clockInfo",
                parts: [
                    .number("clock", clock, "milliseconds"), .number("resetCount", resetCount),
                    .number("restartCount", restartCount),
                    .bit(
                        "safe", isClockSafe, "the clock has not been set back", else: "the clock may have been set back"
                    ),
                ]),
            .hex("firmwareVersion", firmwareVersion, "the maker's"), attestedField,
        ]
    }

    private var attestedField: InspectedField {
        switch attested {
        case .quote(let quote):
            InspectedField(
                "attested",
                parts: [
                    .list("pcrSelect", quote.selections.map(\.inspected)),
                    .bytes("pcrDigest", quote.pcrDigest, "digest of the selected values"),
                ])
        case .other(let bytes): .bytes("attested", bytes, "not a quote, so it is not read")
        }
    }

    private static func name(ofType type: UInt16) -> String {
        let names: [UInt16: String] = [
            0x8014: "TPM_ST_ATTEST_NV", 0x8015: "TPM_ST_ATTEST_COMMAND_AUDIT", 0x8016: "TPM_ST_ATTEST_SESSION_AUDIT",
            0x8017: "TPM_ST_ATTEST_CERTIFY", 0x8018: "TPM_ST_ATTEST_QUOTE: a quote", 0x8019: "TPM_ST_ATTEST_TIME",
            0x801A: "TPM_ST_ATTEST_CREATION", 0x801C: "TPM_ST_ATTEST_NV_DIGEST",
        ]
        return names[type] ?? "no attestation"
    }
}

extension TPMPCRSelection {
    fileprivate var inspected: InspectedField {
        InspectedField(
            "",
            parts: [
                .text("hash", bank.description),
                InspectedField("pcrSelect", .json(.array(registers.map { .integer($0) }))),
            ])
    }
}

extension TPMPCRValues {
    /// By bank and number.
    var inspected: [InspectedField] {
        let banks = TPMHashAlgorithm.allCases.filter { !registers(of: $0).isEmpty }
        return banks.map { bank in
            InspectedField(
                bank.description, parts: registers(of: bank).map { .bytes("PCR\($0)", self[bank, $0] ?? []) })
        }
    }
}

extension TPMSignature {
    /// The names of TPMT_SIGNATURE.
    var inspected: [InspectedField] {
        switch value {
        case .rsassa(let bytes):
            [.text("sigAlg", "RSASSA", "RSASSA-PKCS1-v1_5"), .text("hash", hash.description), .bytes("sig", bytes)]
        case .rsapss(let bytes):
            [.text("sigAlg", "RSAPSS", "RSASSA-PSS"), .text("hash", hash.description), .bytes("sig", bytes)]
        case .ecdsa(let r, let s):
            [
                .text("sigAlg", "ECDSA"), .text("hash", hash.description), .bytes("signatureR", r),
                .bytes("signatureS", s),
            ]
        }
    }
}

extension TPMPublic {
    /// The names of TPMT_PUBLIC.
    var inspected: [InspectedField] {
        let schemes: [UInt16: String] = [
            0x14: "RSASSA", 0x15: "RSAES", 0x16: "RSAPSS", 0x17: "OAEP", 0x18: "ECDSA", 0x1A: "ECDAA",
        ]
        let schemeName = scheme.map { found in
            (schemes[found.algorithm] ?? "0x" + String(found.algorithm, radix: 16))
                + (found.hash.map { " with \($0)" } ?? "")
        }
        return [
            .text("nameAlg", nameAlgorithm.description), .bytes("name", name, "what TPMs call the key"),
            attributes.inspected, .bytes("authPolicy", authPolicy),
            InspectedField("scheme", schemeName.map { .text($0) } ?? .absent, scheme == nil ? "any" : nil),
        ] + keyFields
    }

    private var keyFields: [InspectedField] {
        switch key {
        case .rsa(let modulus, let exponent):
            [
                .text("type", "RSA"), .number("keyBits", UInt64(modulus.count * 8)), .number("exponent", exponent),
                .bytes("modulus", modulus),
            ]
        case .ecc(let curve, let x, let y):
            [
                .text("type", "ECC"), .hex("curveID", curve, curve == 3 ? "P-256" : curve == 4 ? "P-384" : nil),
                .bytes("x", x), .bytes("y", y),
            ]
        }
    }
}

extension TPMObjectAttributes {
    fileprivate var inspected: InspectedField {
        .hex(
            "objectAttributes", rawValue,
            contains(.attestationKey) ? "a key that signs nothing but what its TPM made" : "no attestation key",
            parts: [
                .bit("fixedTPM", contains(.fixedTPM), "it cannot leave this TPM", else: "it can leave this TPM"),
                .bit("fixedParent", contains(.fixedParent), "it cannot get another parent"),
                .bit("sensitiveDataOrigin", contains(.sensitiveDataOrigin), "the TPM made it", else: "made elsewhere"),
                .bit("userWithAuth", contains(.userWithAuth), "its password suffices to use it"),
                .bit(
                    "restricted", contains(.restricted),
                    "it signs nothing that looks like a TPM's statement and is none",
                    else: "it signs anything"),
                .bit("decrypt", contains(.decrypt), "it decrypts"), .bit("sign", contains(.sign), "it signs"),
            ])
    }
}
