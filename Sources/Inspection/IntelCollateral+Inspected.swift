// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import StrictJSON

/// The names of the JSON form (``Appraisal/IntelCollateral/init(parsing:)``), and within the signed texts those of
/// Intel's Provisioning Certification Service, API version 4.
extension IntelCollateral {
    var inspected: [InspectedField] {
        [
            Self.signedText("tcb_info", tcbInfo),
            .bytes("tcb_info_signature", tcbInfoSignature), Self.chain("tcb_info_issuer_chain", tcbInfoIssuerChain),
            Self.signedText("qe_identity", qeIdentity),
            .bytes("qe_identity_signature", qeIdentitySignature),
            Self.chain("qe_identity_issuer_chain", qeIdentityIssuerChain),
            .reading("pck_crl") { () throws(MalformedBytes) in try RevocationList(pckCRL).inspected },
            Self.chain("pck_crl_issuer_chain", pckCRLIssuerChain),
            .reading("root_ca_crl") { () throws(MalformedBytes) in try RevocationList(rootCACRL).inspected },
        ]
    }

    /// Member by member, so that levels are lines of their own.
    private static func signedText(_ name: String, _ bytes: [UInt8]) -> InspectedField {
        .reading(name) { () throws(MalformedBytes) in
            let members = try JSONValue(parsing: bytes).objectValue ?? [:]
            return members.sorted { $0.key < $1.key }.map { name, json in
                guard let items = json.arrayValue else { return InspectedField(name, .json(json)) }
                return .list(name, items.map { InspectedField("", .json($0)) })
            }
        }
    }

    private static func chain(_ name: String, _ pem: [UInt8]) -> InspectedField {
        do throws(MalformedBytes) {
            return .list(name, try PEM.decode(pem, label: "CERTIFICATE").map(Certificate.inspected))
        } catch {
            return InspectedField(name, .malformed(error.description))
        }
    }
}
