// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// The paths of a Nix store that artifacts name, and may need beside them when they run. The bundle does not hold them.
public enum RuntimeStorePaths {
    static let byproductName = "runtime_store_paths"

    /// The by-product that states them.
    ///
    /// - Parameter paths: at least one, sorted.
    public static func byproduct(_ paths: [String]) -> ResourceDescriptor {
        let json = JSONValue.array(paths.map(JSONValue.string))
        return ResourceDescriptor(
            name: byproductName, digest: ["sha256": Digest256(of: json.canonicalBytes).hex],
            annotations: ["paths": json])
    }

    /// The paths that a by-product states.
    ///
    /// Throws where there is none, the digest is not that of the paths, or anything else stands there.
    static func paths(of byproduct: ResourceDescriptor) throws(MalformedBytes) -> [String] {
        let values = byproduct.annotations["paths"]?.arrayValue ?? []
        let paths = values.compactMap(\.stringValue)
        guard !paths.isEmpty, paths.count == values.count, byproduct == Self.byproduct(paths) else {
            throw MalformedBytes(
                format: "SLSA provenance", field: byproductName, offset: 0,
                reason: "nothing but a list of paths and the SHA-256 of its canonical JSON is expected")
        }
        return paths
    }
}
