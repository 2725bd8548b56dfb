// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON

/// What a vendor answered, as far as it is kept. Nothing of it is believed: appraisal checks every signature.
struct VendorAnswer: Hashable, Sendable {
    /// A larger answer is not read, in bytes.
    static let maximumSize = CollateralSet.maximumFileSize

    let body: [UInt8]
    /// PEM, the signer first; empty where the resource has no chain.
    let issuerChain: [UInt8]
}

extension VendorResource {
    /// Makes sure that the answer is of what was asked for, and returns until when it is good, seconds since 1970.
    func expiry(of answer: VendorAnswer) throws(MalformedBytes) -> Int64 {
        var ends = [try end(of: answer.body)]
        if !chainHeaders.isEmpty {
            for der in try PEM.decode(answer.issuerChain, label: "CERTIFICATE") {
                ends.append(try Certificate(der: der).validity.notAfter)
            }
        }
        return ends.min() ?? .min
    }

    /// The body as it is kept: hexadecimal digits around a list are taken off.
    func body(from bytes: [UInt8]) -> [UInt8] {
        guard case .revocationList = kind else { return bytes }
        let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
        return text.isEmpty ? bytes : (try? Hex.decode(text)) ?? bytes
    }

    private func end(of body: [UInt8]) throws(MalformedBytes) -> Int64 {
        switch kind {
        case .chipCertificate(let chip):
            let certificate = try Certificate(der: body)
            guard chip.isNamed(by: try SNPEndorsement(certificate)) else {
                throw unexpected("a certificate of another chip or firmware")
            }
            return certificate.validity.notAfter
        case .authorities(let names):
            var ends: [Int64] = []
            for der in try PEM.decode(body, label: "CERTIFICATE") {
                let certificate = try Certificate(der: der)
                guard names.contains(certificate.subject.commonName ?? "") else {
                    throw unexpected("a certificate of '\(certificate.subject.commonName ?? "no name")'")
                }
                ends.append(certificate.validity.notAfter)
            }
            return ends.min() ?? .min
        case .revocationList(let issuers):
            let list = try RevocationList(body)
            guard issuers.contains(list.issuer.commonName ?? "") else {
                throw unexpected("a list of '\(list.issuer.commonName ?? "no name")'")
            }
            return list.validity.notAfter
        case .tcbInfo(let platform):
            let info = try Self.member("tcbInfo", of: body)
            guard info["fmspc"]?.stringValue?.lowercased() == Hex.encode(platform.fmspc),
                info["id"]?.stringValue == (platform.tee == .tdx ? "TDX" : "SGX")
            else { throw unexpected("TCB info of another platform") }
            return try nextUpdate(of: info)
        case .qeIdentity(let platform):
            let identity = try Self.member("enclaveIdentity", of: body)
            guard identity["id"]?.stringValue == (platform.tee == .tdx ? "TD_QE" : "QE") else {
                throw unexpected("the identity of another enclave")
            }
            return try nextUpdate(of: identity)
        }
    }

    private static func member(_ name: String, of body: [UInt8]) throws(MalformedBytes) -> JSONValue {
        let json = try JSONValue(parsing: body)
        guard let member = json[name], member.objectValue != nil else {
            throw MalformedBytes(format: "answer", field: name, offset: 0, reason: "missing")
        }
        return member
    }

    private func nextUpdate(of json: JSONValue) throws(MalformedBytes) -> Int64 {
        guard let time = json["nextUpdate"]?.stringValue.flatMap({ CivilTime(rfc3339: $0) }) else {
            throw unexpected("no nextUpdate that is a time")
        }
        return time.secondsSince1970
    }

    private func unexpected(_ found: String) -> MalformedBytes {
        MalformedBytes(format: "answer", offset: 0, reason: found)
    }
}
