// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import Evidence

/// The names of AMD 56421, CERT_TABLE.
extension SNPCertificateTable {
    var inspected: [InspectedField] { [.list("CERT_TABLE", entries.map(\.inspected))] }

    /// The product line that the VCEK or VLEK names.
    var product: SNPProduct? { (content(.vcek) ?? content(.vlek)).flatMap(SNPProduct.init(named:)) }
}

extension SNPCertificateTable.Entry {
    fileprivate var inspected: InspectedField {
        let kind = SNPCertificateTable.Kind(rawValue: Hex.encode(guid))
        let name = kind.map { "\($0)".uppercased() } ?? "entry"
        return InspectedField(
            name,
            parts: [
                .bytes("GUID", guid, kind == nil ? "no kind that is known" : name), .number("offset", offset),
                .number("length", UInt64(content.count)),
                kind == .crl
                    ? .reading("content") { () throws(MalformedBytes) in try RevocationList(content).inspected }
                    : Certificate.inspected(content, "content"),
            ])
    }
}

extension SNPProduct {
    /// By the productName of a VCEK or VLEK certificate, DER or PEM; `nil` where it names none that is known.
    init?(named certificate: [UInt8]) {
        guard let endorsement = try? SNPEndorsement(Certificate(certificate)) else { return nil }
        self = endorsement.product
    }
}
