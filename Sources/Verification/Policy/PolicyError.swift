// SPDX-License-Identifier: Apache-2.0

/// What is wrong in a file that a verifier wrote: a policy, a list of images. Nothing is verified by half a policy, so
/// the first fault ends the reading.
public struct PolicyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counts from 1; `nil` where no line is to blame.
    public let line: Int?
    /// The key, with the keys that it lies in: "snp.minimumTCB.Milan"; empty for the file itself.
    public let key: String
    /// What was expected and what was found.
    public let reason: String

    init(line: Int? = nil, key: String = "", _ reason: String) {
        self.line = line
        self.key = key
        self.reason = reason
    }

    public var description: String {
        let place = [line.map { "line \($0)" }, key.isEmpty ? nil : key].compactMap { $0 }.joined(separator: ", ")
        return place.isEmpty ? reason : "\(place): \(reason)"
    }
}
