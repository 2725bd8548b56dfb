// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// A host from which the fetch phase would download.
public struct RemoteAddress: Hashable, Sendable {
    public let host: String
    public let port: Int

    /// From the URL of a registry or repository, with or without `sparse+`. `nil` unless it is `https` or `http`
    /// without user name and password.
    init?(_ url: String) {
        let plain = ["sparse+", "registry+"].first { url.hasPrefix($0) }.map { String(url.dropFirst($0.count)) } ?? url
        guard let address = try? GitURL(plain) else { return nil }
        host = address.host
        port = address.port
    }
}
