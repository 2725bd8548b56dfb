// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import Foundation
internal import StrictJSON

/// Reads what `cargo build --message-format=json-render-diagnostics` prints to standard output, piece by piece, and
/// keeps what it says of artifacts. Memory is bounded whatever arrives.
///
/// A compiler plugin (procedural macro) of the project may print to the same stream, and may forge messages; it could
/// just as well make the files that they name.
public struct CargoMessages: Sendable {
    /// Bytes; a longer line is not read as a message.
    public static let maximumLineLength = 1 << 20
    static let maximumArtifacts = 10_000

    private var line: [UInt8] = []
    private var isOverlong = false
    private(set) var reported: [ReportedArtifact] = []

    public init() {}

    /// Takes more output. Returns the lines within it that are no messages of Cargo, which belong to the build's log.
    ///
    /// Throws `ResourceLimitError` beyond 10,000 artifacts.
    @discardableResult
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(BuildFailure) -> [UInt8] {
        var other: [UInt8] = []
        var rest = bytes[...]
        while let end = Self.lineEnd(in: rest) {
            other += take(rest[..<end]) + (try endLine())
            rest = rest[(end + 1)...]
        }
        return other + take(rest)
    }

    private static func lineEnd(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        let piece = UnsafeRawBufferPointer(rebasing: bytes)
        guard let start = piece.baseAddress, let end = memchr(start, 0x0A, piece.count) else { return nil }
        return bytes.startIndex + (UnsafeRawPointer(end) - start)
    }

    /// Returns what can be no part of a message.
    private mutating func take(_ piece: Slice<UnsafeRawBufferPointer>) -> [UInt8] {
        guard !isOverlong else { return Array(piece) }
        line.append(contentsOf: piece)
        guard line.count > Self.maximumLineLength else { return [] }
        isOverlong = true
        defer { line = [] }
        return line
    }

    private mutating func endLine() throws(BuildFailure) -> [UInt8] {
        defer {
            line.removeAll(keepingCapacity: true)
            isOverlong = false
        }
        guard !isOverlong else { return [0x0A] }
        guard line.starts(with: "{\"reason\":".utf8), let message = try? JSONValue(parsing: line) else {
            return line + [0x0A]
        }
        let new = ReportedArtifact.all(in: message)
        guard reported.count + new.count <= Self.maximumArtifacts else {
            throw BuildFailure(.resourceLimit, "the build reported more than \(Self.maximumArtifacts) artifacts")
        }
        reported += new
        return []
    }

    /// The artifacts of the whole build, sorted by name; where two would have one name, the packages' names come
    /// before theirs.
    ///
    /// Throws `ArtifactError` where there is none, where one lies outside the output part, or where Cargo wrote two
    /// into one file; ``artifacts(in:)`` can tell the latter apart.
    ///
    /// - Parameter output: the output part as Cargo saw it.
    public mutating func artifacts(output: String) throws(BuildFailure) -> [BuiltArtifact] {
        try finish()
        return try ArtifactNames(reported: reported, output: output).artifacts { (_, _) throws(BuildFailure) in nil }
    }

    /// As ``artifacts(output:)``. Where Cargo wrote the programs of two packages into one file, each of them is taken
    /// from where the compiler put it.
    mutating func artifacts(in workspace: Workspace, project: Project) throws(BuildFailure) -> [BuiltArtifact] {
        try finish()
        let names = ArtifactNames(reported: reported, output: workspace.inside(.output))
        let files = CompilerOutput(workspace: workspace, project: project.inside(workspace))
        return try names.artifacts { (artifact, path) throws(BuildFailure) in files.original(of: artifact, at: path) }
    }

    /// Where the compiler put the programs that Cargo gave one name, on this host.
    mutating func contested(in workspace: Workspace, project: Project) throws(BuildFailure) -> [String] {
        try finish()
        let names = ArtifactNames(reported: reported, output: workspace.inside(.output))
        let files = CompilerOutput(workspace: workspace, project: project.inside(workspace))
        return try names.contested().compactMap { files.original(of: $0.artifact, at: $0.path) }
            .map { "\(workspace.path(.output))/\($0)" }
    }

    private mutating func finish() throws(BuildFailure) {
        if !line.isEmpty { _ = try endLine() }
    }
}
