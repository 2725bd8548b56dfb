// SPDX-License-Identifier: Apache-2.0
public import BuildServer
internal import Builds
public import Sandbox

public enum HostSandbox {
    /// Where builds run, as the settings say. What a server that was killed left in `folder` is ended and removed.
    public static func prepare(
        _ configuration: Configuration, folder: String
    ) async throws(BuilderError) -> Sandbox {
        do throws(BuildFailure) {
            return try await Sandbox.prepare(confinement: configuration.sandbox ? .bubblewrap : .none, folder: folder)
        } catch {
            throw BuilderError(
                error.message,
                hint: "'cupel doctor' says what is missing; --no-sandbox builds unconfined, and the provenance says so")
        }
    }
}
