// SPDX-License-Identifier: Apache-2.0
public import Builds
import NIOCore

/// Everything that an operator may set, decoded and checked once at the start. ``ConfigurationKey/all`` documents each
/// key; the stored defaults here are the only ones.
public struct Configuration: Hashable, Sendable {
    /// A name or address of this machine to listen on.
    public var host = "127.0.0.1"
    /// 0 for any free port.
    public var port = 8080
    /// The folder of jobs, results, the database and the key; made at the first start.
    public var data = "/var/lib/cupel"
    /// Builds at one time.
    public var concurrency = Configuration.defaultConcurrency
    /// Jobs that wait; more are answered with `503`.
    public var queueLength = 64
    /// Whether git sources and registries may be at loopback, link-local and private addresses.
    public var allowPrivateSources = false
    /// Whether builds are confined. Without it a build may do whatever the server's user may do.
    public var sandbox = true
    /// Where builds run: one of ``ConfigurationKey/isolations``.
    public var isolation = "auto"
    /// Who vouches for this machine in the evidence: one of ``ConfigurationKey/attesters``.
    public var attester = "auto"
    /// Seconds that running builds get after SIGTERM before they are put back in line for the next start.
    public var graceSeconds = 30
    /// Seconds of silence after which a stream gets a comment line.
    public var keepAliveSeconds = 15
    /// Whether `GET /metrics` is served.
    public var metrics = true
    /// `runDetails.builder.id` of the provenance: a URI that names this service.
    public var builderID = "https://github.com/cupel-build/cupel"
    /// How a line of the log looks: a name of ``LogFormat``.
    public var logFormat = "text"
    /// The least level that is logged: a name of swift-log's levels.
    public var logLevel = "info"
    /// Whether each request is logged at the level `info`, else at `debug`.
    public var logRequests = false
    /// Nix binary caches, separated by spaces, or `none`.
    public var nixSubstituters = "none"
    /// Keys of which one must have signed what a cache delivers, separated by spaces, or `none`.
    public var nixTrustedPublicKeys = "none"
    /// Who may fetch with network: one of ``ConfigurationKey/nixFetchPrograms``.
    public var nixFetchPrograms = "builtin"
    /// Whether Nix must confine each derivation: one of ``ConfigurationKey/nixSandboxes``.
    public var nixSandbox = "auto"
    /// The machines in which builds run where each gets one of its own.
    public var machines = MachineChoices()
    /// How long jobs are kept after their end.
    public var retention = RetentionSettings()
    /// What one client may have at one time.
    public var clients = ClientSettings()
    /// How long a machine that builds once waits for others.
    public var guest = GuestPatience()
    /// What one build may use.
    public var limits = BuildLimits()

    /// The defaults alone.
    public init() {}

    /// One build for two cores, at least one.
    public static var defaultConcurrency: Int { max(1, System.coreCount / 2) }

    /// Where data lies unless the operator says otherwise: `/var/lib/cupel` for root (builds run as other users, who
    /// must reach their workspaces there), else the user's own data folder.
    public static func defaultDataFolder(environment: [String: String], isRoot: Bool) -> String {
        if isRoot { return "/var/lib/cupel" }
        if let folder = environment["XDG_DATA_HOME"], folder.hasPrefix("/") { return "\(folder)/cupel" }
        if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.local/share/cupel" }
        return "/var/lib/cupel"
    }
}

/// A setting that cannot be: which one, where it stands, what is wrong.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence, lower case, no full stop.
    public let message: String
    /// What to do; `nil` where the message says it.
    public let hint: String?

    /// An error that the command line shows as it is.
    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    public var description: String { hint.map { "\(message); \($0)" } ?? message }
}
