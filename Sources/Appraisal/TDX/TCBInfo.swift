// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import Evidence
internal import StrictJSON

/// Intel's judgement of a platform family, decoded and not yet believed (Intel PCS API version 4, `TcbInfo` version 3,
/// SGX and TDX). Members that are not known are let pass: Intel adds some without a new version.
package struct TCBInfo: Hashable, Sendable {
    /// What a set of security versions amounts to; the newest one first.
    struct Level: Hashable, Sendable {
        /// 16 of them.
        let sgxComponents: [UInt8]
        let pceSVN: UInt16
        /// 16 of them; none in an SGX TCB info.
        let tdxComponents: [UInt8]
        let judgement: TCBJudgement
    }

    /// Who must have signed a TDX module, and with which attributes.
    struct Module: Hashable, Sendable {
        /// "TDX_03"; empty for the module of the first generation.
        let id: String
        /// 48 bytes.
        let mrSigner: [UInt8]
        let attributes: UInt64
        let attributesMask: UInt64
        let levels: [ISVLevel]
    }

    package let tee: IntelQuote.TEE
    /// From `issueDate` to `nextUpdate`.
    package let validity: Validity
    /// 6 bytes.
    package let fmspc: [UInt8]
    /// 2 bytes.
    package let pceID: [UInt8]
    package let evaluationDataNumber: Int
    /// `nil` in an SGX TCB info.
    let module: Module?
    let moduleIdentities: [Module]
    let levels: [Level]

    package init(_ bytes: [UInt8]) throws(MalformedBytes) {
        let fields = try SignedFields(parsing: bytes, format: "TCB info")
        guard try fields.number("version", maximum: 65_535) == 3 else { throw fields.malformed("version", "not 3") }
        switch try fields.text("id") {
        case "TDX": tee = .tdx
        case "SGX": tee = .sgx
        case let id: throw fields.malformed("id", "'\(id)'")
        }
        guard try fields.number("tcbType", maximum: 65_535) == 0 else { throw fields.malformed("tcbType", "not 0") }
        validity = try fields.validity()
        fmspc = try fields.hex("fmspc", count: 6)
        pceID = try fields.hex("pceId", count: 2)
        evaluationDataNumber = try fields.number("tcbEvaluationDataNumber", maximum: 1 << 31)
        var modules: [Module] = []
        for identity in try fields.optionalList("tdxModuleIdentities") {
            modules.append(try Module(identity, id: try identity.text("id"), levels: try ISVLevel.list(identity)))
        }
        moduleIdentities = modules
        module = tee == .tdx ? try Module(try fields.object("tdxModule"), id: "", levels: []) : nil
        var levels: [Level] = []
        for level in try fields.list("tcbLevels") { levels.append(try Level(level, tee: tee)) }
        self.levels = levels
    }

    /// The identity of a module of this generation: `TEE_TCB_SVN[1]`.
    func moduleIdentity(version: UInt8) -> Module? {
        let id = "TDX_" + Hex.encode([version]).uppercased()
        return moduleIdentities.first { $0.id.uppercased() == id }
    }
}

extension TCBInfo.Level {
    fileprivate init(_ fields: SignedFields, tee: IntelQuote.TEE) throws(MalformedBytes) {
        let tcb = try fields.object("tcb")
        sgxComponents = try Self.components(tcb, "sgxtcbcomponents")
        pceSVN = UInt16(truncatingIfNeeded: try tcb.number("pcesvn", maximum: 65_535))
        tdxComponents = tee == .tdx ? try Self.components(tcb, "tdxtcbcomponents") : []
        judgement = try TCBJudgement(fields)
    }

    private static func components(_ tcb: SignedFields, _ name: String) throws(MalformedBytes) -> [UInt8] {
        var versions: [UInt8] = []
        versions.reserveCapacity(16)
        for component in try tcb.list(name) {
            versions.append(UInt8(truncatingIfNeeded: try component.number("svn", maximum: 255)))
        }
        guard versions.count == 16 else { throw tcb.malformed(name, "\(versions.count) components, expected 16") }
        return versions
    }
}

extension TCBInfo.Module {
    fileprivate init(_ fields: SignedFields, id: String, levels: [ISVLevel]) throws(MalformedBytes) {
        self.id = id
        self.levels = levels
        mrSigner = try fields.hex("mrsigner", count: 48)
        attributes = Self.number(try fields.hex("attributes", count: 8))
        attributesMask = Self.number(try fields.hex("attributesMask", count: 8))
    }

    /// Little-endian, as SEAMATTRIBUTES is.
    private static func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

/// What Intel says of a level.
package struct TCBJudgement: Hashable, Sendable {
    package let status: TCBStatus
    /// `tcbDate`, as it stands there.
    package let date: String
    /// "INTEL-SA-01036".
    package let advisories: [String]

    init(_ fields: SignedFields) throws(MalformedBytes) {
        let text = try fields.text("tcbStatus")
        guard let status = TCBStatus(rawValue: text) else { throw fields.malformed("tcbStatus", "'\(text)'") }
        self.status = status
        date = try fields.text("tcbDate")
        advisories = try fields.optionalTexts("advisoryIDs")
    }
}

/// A level of something that has one security version: a TDX module, or the quoting enclave.
struct ISVLevel: Hashable, Sendable {
    let isvSVN: UInt16
    let judgement: TCBJudgement

    static func list(_ fields: SignedFields) throws(MalformedBytes) -> [ISVLevel] {
        var levels: [ISVLevel] = []
        for level in try fields.list("tcbLevels") {
            let version = try level.object("tcb").number("isvsvn", maximum: 65_535)
            levels.append(
                ISVLevel(isvSVN: UInt16(truncatingIfNeeded: version), judgement: try TCBJudgement(level)))
        }
        return levels
    }
}
