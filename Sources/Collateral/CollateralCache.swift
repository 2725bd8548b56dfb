// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import StrictJSON

/// Answers of the vendors on disk, one file for each, named by the SHA-256 of its URL.
///
/// A file appears complete or not at all, whoever else writes. One that was changed, cut off or exchanged is as good as
/// none. That an answer is here makes it no more credible: it saves a request.
public struct CollateralCache: Hashable, Sendable {
    private static let version = 1
    /// A larger file is not read, in bytes: an answer in base64, and its chain.
    private static let maximumSize = 4 << 20

    /// Made when the first answer is stored.
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// `nil` where there is none that is whole.
    func answer(for url: String) -> VendorAnswer? {
        guard let bytes = CacheFile.read(path(of: url), limit: Self.maximumSize),
            let json = try? JSONValue(parsing: bytes), var members = json.objectValue,
            let digest = members.removeValue(forKey: "sha256")?.stringValue,
            Digest256(of: JSONValue.object(members).canonicalBytes).hex == digest,
            members["version"] == .integer(Self.version), members["url"]?.stringValue == url,
            let body = members["body"]?.stringValue.flatMap({ try? Base64.decode($0) }),
            let chain = members["issuerChain"]?.stringValue
        else { return nil }
        return VendorAnswer(body: body, issuerChain: Array(chain.utf8))
    }

    func store(_ answer: VendorAnswer, for url: String) throws(CollateralError) {
        var members: [String: JSONValue] = [
            "version": .integer(Self.version), "url": .string(url), "body": .string(Base64.encode(answer.body)),
            "issuerChain": .string(String(decoding: answer.issuerChain, as: UTF8.self)),
        ]
        members["sha256"] = .string(Digest256(of: JSONValue.object(members).canonicalBytes).hex)
        try CacheFile.makeFolder(folder)
        try CacheFile.write(JSONValue.object(members).canonicalBytes, to: path(of: url))
    }

    func path(of url: String) -> String { "\(folder)/\(Digest256(of: Array(url.utf8)).hex).json" }
}
