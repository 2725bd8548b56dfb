// SPDX-License-Identifier: Apache-2.0

/// One command line as a value: what runs, where, with which variables, and whether it may reach the network. Paths
/// are as the command sees them (``Workspace/inside(_:)``).
public struct Command: Hashable, Sendable {
    /// An absolute path.
    public var executable: String
    public var arguments: [String]
    /// The whole environment: nothing is inherited.
    public var environment: [String: String]
    /// An absolute path.
    public var workingDirectory: String
    /// `true` in the fetch phase only.
    public var network: Bool
    /// Parts of the workspace that the command may write; everything else in it is read-only.
    public var writable: Set<Workspace.Part>
    /// Seconds until the command is ended with a `TimeoutError`.
    public var timeLimit: Int
    /// Folders of the workspace that the command sees at a second place; only in a sandbox.
    public var mounts: [FolderMount]
    /// Whether the command may make namespaces and mounts of its own within the sandbox, to confine what it starts
    /// further.
    public var nestsNamespaces: Bool

    public init(
        _ executable: String, _ arguments: [String], environment: [String: String], workingDirectory: String,
        network: Bool, writable: Set<Workspace.Part>, timeLimit: Int, mounts: [FolderMount] = [],
        nestsNamespaces: Bool = false
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.network = network
        self.writable = writable
        self.timeLimit = timeLimit
        self.mounts = mounts
        self.nestsNamespaces = nestsNamespaces
    }
}

/// A folder of the workspace at a second place, writable where its part is.
public struct FolderMount: Hashable, Sendable {
    public let part: Workspace.Part
    /// Below the part, relative; must be there.
    public let folder: String
    /// Absolute path as the command sees it.
    public let inside: String

    public init(part: Workspace.Part, folder: String, inside: String) {
        self.part = part
        self.folder = folder
        self.inside = inside
    }
}

/// How a command ended, after every process that it started is dead.
public struct CommandOutcome: Hashable, Sendable {
    /// Exit status; 128 + the signal's number where a signal ended it, as shells say it.
    public let status: Int32
    public init(status: Int32) { self.status = status }
    public var succeeded: Bool { status == 0 }
}

/// Which of a command's two outputs some bytes came from.
public enum OutputStream: Hashable, Sendable { case standardOutput, standardError }

/// Takes the output of a running command, piece by piece, in order for each stream; from one thread at a time. An
/// error ends the command, and is what the caller of ``CommandRunner/run(_:output:)`` gets.
public typealias OutputReceiver = @Sendable (OutputStream, UnsafeRawBufferPointer) throws(BuildFailure) -> Void

/// Runs commands in one build's workspace, confined as the operator chose.
public protocol CommandRunner: Sendable {
    /// Returns when the command and all that it started are dead. Throws `SandboxError`, `TimeoutError`,
    /// `ResourceLimitError`, `CancelledError`, or what `output` threw; a non-zero status is a result, not an error.
    func run(_ command: Command, output: @escaping OutputReceiver) async throws(BuildFailure) -> CommandOutcome
}

/// The folder of one build: empty at the start, removed at the end.
public struct Workspace: Hashable, Sendable {
    /// The folder's path on this machine, absolute.
    public let root: String
    /// Where commands see it: `/build` in a sandbox, so that results do not depend on the machine; ``root`` without one.
    public let mountPoint: String

    /// The folders of a workspace.
    public enum Part: String, CaseIterable, Sendable {
        /// The project as submitted. Read-only from the tree digest on.
        case source
        /// Downloads: registries, git repositories, caches. Written in the fetch phase only.
        case dependencies
        /// The toolchain's output.
        case output
        /// HOME of the commands.
        case home
        /// Seen as /tmp.
        case temporary
    }

    public init(root: String, mountPoint: String) {
        self.root = root
        self.mountPoint = mountPoint
    }

    /// The part's path on this machine.
    public func path(_ part: Part) -> String { "\(root)/\(part.rawValue)" }

    /// The part's path as commands see it.
    public func inside(_ part: Part) -> String { "\(mountPoint)/\(part.rawValue)" }
}
