// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Sandbox

enum HostSandbox {
    /// Where builds run, as the settings say. What a server that was killed left in `folder` is ended and removed.
    static func prepare(_ configuration: Configuration, folder: String) async throws -> Sandbox {
        do {
            return try await Sandbox.prepare(confinement: configuration.sandbox ? .bubblewrap : .none, folder: folder)
        } catch {
            throw CommandFailure(
                error.message,
                hint: "'cupel doctor' says what is missing; --no-sandbox builds unconfined, and the provenance says so")
        }
    }
}
