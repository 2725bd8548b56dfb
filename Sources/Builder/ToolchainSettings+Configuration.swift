// SPDX-License-Identifier: Apache-2.0
public import BuildServer
public import Toolchains

extension ToolchainSettings {
    /// What the operator's configuration says of toolchains.
    ///
    /// Throws where a cache is named and no key, or something is neither an address nor a key.
    public init(_ configuration: Configuration) throws(ConfigurationError) {
        self.init()
        nix.substituters = Self.words(configuration.nixSubstituters)
        nix.trustedPublicKeys = Self.words(configuration.nixTrustedPublicKeys)
        // Who may reach private addresses anyway, gains nothing by a program.
        nix.allowsFetchPrograms = configuration.nixFetchPrograms == "any" || configuration.allowPrivateSources
        nix.requiresSandbox = configuration.nixSandbox == "required"
        if let wrong = nix.substituters.first(where: { !Self.isAddress($0) }) {
            throw ConfigurationError(
                "nix.substituters must be addresses that begin with https:// or http://, not '\(wrong)'")
        }
        if let wrong = nix.trustedPublicKeys.first(where: { !$0.contains(":") }) {
            throw ConfigurationError("nix.trusted_public_keys must be keys of the form NAME:BASE64, not '\(wrong)'")
        }
        guard nix.substituters.isEmpty || !nix.trustedPublicKeys.isEmpty else {
            throw ConfigurationError(
                "nix.substituters names a cache, but nix.trusted_public_keys no key that may sign for it",
                hint: "name the cache's public key")
        }
    }

    private static func words(_ text: String) -> [String] {
        text == "none" ? [] : text.split(separator: " ").map(String.init)
    }

    private static func isAddress(_ text: String) -> Bool {
        ["https://", "http://"].contains { text.hasPrefix($0) && text.count > $0.count }
    }
}
