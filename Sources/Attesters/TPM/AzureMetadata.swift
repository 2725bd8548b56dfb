// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// What Azure's instance metadata service has for a confidential machine: the VCEK of its chip, and quotes over reports
/// of TDX. It is reached over plain HTTP at a link-local address; nothing that it says is believed by a verifier.
package struct AzureMetadata: Sendable {
    private let host: String
    private let port: UInt16

    package init(host: String = "169.254.169.254", port: UInt16 = 80) {
        self.host = host
        self.port = port
    }

    /// DER. `nil` where the service does not answer: a verifier can get the certificate elsewhere.
    func vcek() -> [UInt8]? {
        guard let body = try? exchange("GET", "/metadata/THIM/amd/certification"),
            let text = (try? JSONValue(parsing: body))?["vcekCert"]?.stringValue
        else { return nil }
        return try? CertificateBytes.der(Array(text.utf8))
    }

    /// A quote over a TDREPORT, 1,024 bytes.
    func tdQuote(over report: [UInt8]) throws(AttesterError) -> [UInt8] {
        let request: JSONValue = ["report": .string(Base64.encode(report, alphabet: .url))]
        let body = try exchange("POST", "/acc/tdquote", request.canonicalBytes)
        do {
            guard let text = try JSONValue(parsing: body)["quote"]?.stringValue else {
                throw AttesterError(.invalid, "Azure's quoting service answered without a quote")
            }
            return try Base64.decode(text, alphabet: .url)
        } catch let error as AttesterError {
            throw error
        } catch {
            throw AttesterError(.invalid, "Azure's quoting service answered with something that is no quote: \(error)")
        }
    }

    private func exchange(_ method: String, _ path: String, _ body: [UInt8] = []) throws(AttesterError) -> [UInt8] {
        try PlainHTTP(host: host, port: port).exchange(method, path, headers: ["Metadata: true"], body: body)
    }
}
