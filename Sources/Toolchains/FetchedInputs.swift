// SPDX-License-Identifier: Apache-2.0
public import Provenance
public import StrictJSON

/// What the fetch phase found out beyond the lockfile.
public struct FetchedInputs: Hashable, Sendable {
    /// Inputs that the lockfile does not name, but that what it names does: fetched, and compared with their digests.
    public let dependencies: [ResourceDescriptor]
    /// What the provenance's `internalParameters` say of this toolchain, under its name; empty for nothing.
    public let parameters: [String: JSONValue]

    public init(dependencies: [ResourceDescriptor] = [], parameters: [String: JSONValue] = [:]) {
        self.dependencies = dependencies
        self.parameters = parameters
    }
}
