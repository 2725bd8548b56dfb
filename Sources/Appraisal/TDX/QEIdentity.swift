// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import Evidence

/// Which quoting enclave Intel made, and how good its versions are, decoded and not yet believed (Intel PCS API
/// version 4, `EnclaveIdentity` version 2). Members that are not known are let pass, as in ``TCBInfo``.
package struct QEIdentity: Hashable, Sendable {
    package let tee: IntelQuote.TEE
    /// From `issueDate` to `nextUpdate`.
    package let validity: Validity
    package let evaluationDataNumber: Int
    /// 4 bytes each.
    let miscSelect: [UInt8]
    let miscSelectMask: [UInt8]
    /// 16 bytes each.
    let attributes: [UInt8]
    let attributesMask: [UInt8]
    /// 32 bytes.
    let mrSigner: [UInt8]
    let isvProductID: UInt16
    let levels: [ISVLevel]

    package init(_ bytes: [UInt8]) throws(MalformedBytes) {
        let fields = try SignedFields(parsing: bytes, format: "QE identity")
        guard try fields.number("version", maximum: 65_535) == 2 else { throw fields.malformed("version", "not 2") }
        switch try fields.text("id") {
        case "TD_QE": tee = .tdx
        case "QE": tee = .sgx
        case let id: throw fields.malformed("id", "'\(id)'")
        }
        validity = try fields.validity()
        evaluationDataNumber = try fields.number("tcbEvaluationDataNumber", maximum: 1 << 31)
        miscSelect = try fields.hex("miscselect", count: 4)
        miscSelectMask = try fields.hex("miscselectMask", count: 4)
        attributes = try fields.hex("attributes", count: 16)
        attributesMask = try fields.hex("attributesMask", count: 16)
        mrSigner = try fields.hex("mrsigner", count: 32)
        isvProductID = UInt16(truncatingIfNeeded: try fields.number("isvprodid", maximum: 65_535))
        levels = try ISVLevel.list(fields)
    }
}
