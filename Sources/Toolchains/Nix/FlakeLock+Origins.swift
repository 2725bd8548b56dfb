// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

extension FlakeLock {
    /// Nix does not ask an origin for what it has already under the same hash. So each hash has one origin here: else one
    /// input's content could pass for that of another's repository and commit.
    ///
    /// Throws `LockfileError` naming the inputs. Blocks while it reads the folders of the tree that are inputs.
    ///
    /// - Parameter folder: the flake's folder on this machine.
    func refuseSharedHashes(in folder: String) throws(BuildFailure) {
        var origins: [Digest256: FlakeInput] = [:]
        for input in inputs {
            guard let pin = input.pin, let hash = input.narHash else { continue }
            if let other = origins[hash], other.pin?.uri != pin.uri { throw Self.shared(other, input) }
            origins[hash] = input
        }
        guard !origins.isEmpty else { return }
        for input in inputs {
            guard case .folder(let path) = input.origin else { continue }
            var hashes = input.narHash.map { [$0] } ?? []
            if let place = ProjectFiles.confined(path, from: folder, root: folder) {
                hashes.append(try NixArchive.digest(of: place))
            }
            for hash in hashes {
                if let other = origins[hash] { throw Self.shared(other, input) }
            }
        }
    }

    private static func shared(_ first: FlakeInput, _ second: FlakeInput) -> BuildFailure {
        let names = [first, second].map { "'\($0.names.first ?? "")'" }.joined(separator: " and ")
        return BuildFailure(
            .lockfile,
            "flake.lock pins the inputs \(names) by one hash, but from different origins; remove one of them")
    }
}
