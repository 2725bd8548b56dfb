// SPDX-License-Identifier: Apache-2.0
package import Builds
package import Provenance
internal import StrictJSON

/// Asks tools for their versions, and describes them.
package struct ToolProbe {
    private static let outputLimit = 1 << 16
    /// For a tool to tell its version. Far more than it takes, also where the processor is emulated and busy.
    private static let seconds = 300

    let steps: any BuildSteps
    /// Of every command.
    let environment: [String: String]

    package init(steps: any BuildSteps, environment: [String: String]) {
        self.steps = steps
        self.environment = environment
    }

    /// What the tool says of its version: asked again only when its file has changed.
    ///
    /// - Parameter command: the tool as the command runner sees it.
    /// - Parameter path: the tool on this machine.
    package func version(
        _ name: String, _ command: String, _ path: String, _ arguments: [String]
    ) async throws(BuildFailure) -> String {
        try await steps.toolDigests.version(of: path) { () async throws(BuildFailure) in
            try await ask(name, command, arguments)
        }
    }

    private func ask(_ name: String, _ tool: String, _ arguments: [String]) async throws(BuildFailure) -> String {
        let command = Command(
            tool, arguments, environment: environment, workingDirectory: steps.workspace.inside(.source),
            network: false, writable: [.home, .temporary], timeLimit: Self.seconds)
        let answer = try await steps.ask(command, limit: Self.outputLimit)
        guard answer.outcome.succeeded else {
            throw BuildFailure(
                .unsupportedToolchain,
                "the tool '\(name)' could not tell its version, it ended with status \(answer.outcome.status)")
        }
        return String(decoding: answer.standardOutput, as: UTF8.self)
    }

    /// A tool as the provenance lists it, with the first line of what it says of its version.
    package static func tool(_ name: String, _ digest: [String: String], version: String?) -> ResourceDescriptor {
        var annotations: [String: JSONValue] = [:]
        if let line = version?.split(separator: "\n").first { annotations["version"] = .string(shown(String(line))) }
        return ResourceDescriptor(name: name, digest: digest, annotations: annotations)
    }
}
