// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Foundation

/// A server's settings, from where its operator keeps them.
enum ServerSettings {
    /// Defaults, then the file, or the one that `CUPEL_CONFIG` names, then the environment, then `overrides`.
    static func load(file: String?, overrides: [String: String] = [:]) throws -> Configuration {
        let environment = ProcessInfo.processInfo.environment
        return try Configuration.load(
            file: try (file ?? environment["CUPEL_CONFIG"]).map(read), environment: environment,
            overrides: overrides, isRoot: geteuid() == 0)
    }

    private static func read(_ path: String) throws -> Configuration.File {
        do {
            return Configuration.File(name: path, text: try String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw CommandFailure("could not read \(path): \(error.localizedDescription)")
        }
    }
}
