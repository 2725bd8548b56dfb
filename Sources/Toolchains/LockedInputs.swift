// SPDX-License-Identifier: Apache-2.0
public import Provenance

/// What a lockfile promises, before anything is fetched.
public struct LockedInputs: Hashable, Sendable {
    /// The lockfile and its SHA-256.
    public let lockfile: ResourceDescriptor
    /// Everything that is not part of the source tree, sorted by URI.
    public let dependencies: [ResourceDescriptor]
    /// Hosts that the fetch phase contacts, other than the ecosystem's own, sorted.
    public let hosts: [RemoteAddress]

    public init(lockfile: ResourceDescriptor, dependencies: [ResourceDescriptor], hosts: [RemoteAddress]) {
        self.lockfile = lockfile
        self.dependencies = dependencies
        self.hosts = hosts
    }
}
