// SPDX-License-Identifier: Apache-2.0

extension InputTree {
    /// The places of the leaves that a text names: those of the first of these kinds that has any.
    ///
    /// 1. the whole URI,
    /// 2. a package URL without qualifiers and subpath,
    /// 3. a package URL without these and without version,
    /// 4. a digest, as `sha256:` or `gitCommit:` and lower-case hexadecimal digits,
    /// 5. the name, such as `Cargo.lock` or `rustc`.
    public func leafIndices(named text: String) -> [Int] {
        let kinds: [(ResourceDescriptor) -> Bool] = [
            { $0.uri == text },
            { $0.uri.flatMap(PackageURL.init)?.withoutQualifiers == text },
            { $0.uri.flatMap(PackageURL.init)?.withoutVersion == text },
            { leaf in leaf.digest.contains { "\($0.key):\($0.value)" == text } },
            { $0.name == text },
        ]
        for isNamed in kinds {
            let found = leaves.indices.filter { isNamed(leaves[$0]) }
            if !found.isEmpty { return found }
        }
        return []
    }
}
