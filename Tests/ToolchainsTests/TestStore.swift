// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Toolchains

/// The store of a build, filled by hand.
struct TestStore {
    let project: TestProject
    let workspace: Workspace

    init() throws {
        project = try TestProject()
        workspace = try project.workspace()
        try FileManager.default.createDirectory(
            atPath: project.root + "/output/nix/store", withIntermediateDirectories: true)
    }

    var store: NixStore { NixStore(workspace) }

    /// A path whose hash part is made of one digit.
    static func path(_ digit: Character, _ name: String) throws -> NixStorePath {
        try NixStorePath("/nix/store/\(String(repeating: digit, count: 32))-\(name)")
    }

    func write(_ path: NixStorePath, _ text: String, at place: String = "") throws {
        try project.write("output/nix/store/\(path.baseName)\(place)", text)
    }

    func link(_ path: NixStorePath, at place: String, to target: String) throws {
        let file = "output/nix/store/\(path.baseName)/\(place)"
        let folder = PathParts.names(file).dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(
            atPath: project.root + "/" + folder, withIntermediateDirectories: true)
        try project.link(file, to: target)
    }

    /// Puts a derivation where its content belongs.
    @discardableResult
    func derivation(
        _ name: String, output: NixStorePath, inputs: [NixStorePath] = [], sources: [NixStorePath] = [],
        fixed: (algorithm: String, hash: String)? = nil, url: String? = nil, builder: String = "/bin/sh"
    ) throws -> NixStorePath {
        let inputText = inputs.sorted().map { "(\"\($0)\",[\"out\"])" }.joined(separator: ",")
        let sourceText = sources.sorted().map { "\"\($0)\"" }.joined(separator: ",")
        var environment = [("name", name), ("out", output.description)]
        if let url { environment.append(("url", url)) }
        let environmentText = environment.map { "(\"\($0.0)\",\"\($0.1)\")" }.joined(separator: ",")
        let text =
            "Derive([(\"out\",\"\(output)\",\"\(fixed?.algorithm ?? "")\",\"\(fixed?.hash ?? "")\")],[\(inputText)],"
            + "[\(sourceText)],\"x86_64-linux\",\"\(builder)\",[],[\(environmentText)])"
        let path = try NixStorePath(ofText: Array(text.utf8), name: name + ".drv", references: inputs + sources)
        try write(path, text)
        return path
    }

    /// Puts a fixed-output derivation for a file of this content, and, where `delivered` is not `nil`, what it fetched.
    func download(
        _ name: String, _ content: String, delivered: String?, inputs: [NixStorePath] = [],
        algorithm: NixHash.Algorithm = .sha256, url: String? = "https://example.com/file",
        builder: String = "/bin/sh"
    ) throws -> NixStorePath {
        let file = try TestProject(["file": content])
        let zero = try NixHash(algorithm, bytes: [UInt8](repeating: 0, count: algorithm.size))
        let promise = try NixArchive.output(at: file.root + "/file", like: NixFixedOutput(mode: .flat, hash: zero))
        let output = try NixStorePath(ofFixedOutput: promise, name: name)
        if let delivered { try write(output, delivered) }
        return try derivation(
            name, output: output, inputs: inputs, fixed: (algorithm.rawValue, promise.hash.hex), url: url,
            builder: builder)
    }

    /// Puts a source of one file where its content belongs.
    func source(_ name: String, _ content: String) throws -> NixStorePath {
        let file = try TestProject(["file": content])
        let hash = try NixHash(.sha256, bytes: try NixArchive.digest(of: file.root + "/file").bytes)
        let path = try NixStorePath(ofFixedOutput: NixFixedOutput(mode: .archive, hash: hash), name: name)
        try write(path, content)
        return path
    }
}
