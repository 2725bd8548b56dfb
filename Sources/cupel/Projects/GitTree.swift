// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation

/// A project under git, compared with its commit by content: each file's git object id is computed here. Git is asked
/// for names only, so that no filter, hook or monitor that a repository configures is run.
struct GitTree {
    /// The id of HEAD's commit; "no commit yet" before the first.
    let commit: String
    let entries: [ProjectFiles.Entry]
    /// Paths of which the files differ from the commit, each with how.
    let differences: [String]

    /// `nil` where `root` is not under git, or git knows none of its files.
    static func read(_ root: String, excluding excluded: String?) async throws -> GitTree? {
        guard let git = HostTool.find("git") else {
            guard FileManager.default.fileExists(atPath: root + "/.git") else { return nil }
            throw CommandFailure("the project is under git, and there is no git to ask", hint: "install git")
        }
        let repository = GitWorkingTree(git: git, root: root)
        guard try await repository.exists() else { return nil }
        return try await repository.read(excluding: excluded)
    }
}

/// One working tree; a submodule is one within another.
private struct GitWorkingTree {
    let git: String
    let root: String

    private struct Committed {
        let mode: String
        let id: String
    }

    func exists() async throws -> Bool {
        let answer = try await run("rev-parse", "--is-inside-work-tree")
        if answer.status == 0 { return answer.line == "true" }
        if answer.errors.contains("not a git repository") { return false }
        throw refused(answer)
    }

    func read(excluding excluded: String?) async throws -> GitTree? {
        let head = try await run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        let committed = head.status == 0 ? try await committedFiles() : [:]
        let names = try await list("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        let listed = Set(names.filter { $0 != excluded && PathParts.below(excluded ?? "\0", $0) == nil })
        guard !committed.isEmpty || !listed.isEmpty else { return nil }

        var entries: [ProjectFiles.Entry] = []
        var differences = committed.keys.filter { !listed.contains($0) }.map { "\($0) (deleted)" }
        for path in listed {
            try Task.checkCancellation()
            if committed[path]?.mode == "160000" {
                let part = try await submodule(path, commit: committed[path]?.id)
                entries += part.entries
                differences += part.differences
            } else if let entry = try ProjectFiles.Entry(path, in: root) {
                entries.append(entry)
                if let difference = try difference(entry, committed[path]) { differences.append(difference) }
            } else {
                differences.append("\(path) (\(committed[path] == nil ? "not committed" : "deleted"))")
            }
        }
        return GitTree(
            commit: head.status == 0 ? head.line : "no commit yet",
            entries: entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) },
            differences: differences.map(Console.plain).sorted())
    }

    private func committedFiles() async throws -> [String: Committed] {
        var files: [String: Committed] = [:]
        for line in try await list("ls-tree", "-r", "-z", "HEAD") {
            guard let tab = line.firstIndex(of: "\t") else { continue }
            let words = line[..<tab].split(separator: " ")
            guard words.count == 3 else { continue }
            files[String(line[line.index(after: tab)...])] = Committed(mode: String(words[0]), id: String(words[2]))
        }
        return files
    }

    private func submodule(_ path: String, commit: String?) async throws -> GitTree {
        let inner = GitWorkingTree(git: git, root: "\(root)/\(path)")
        // Without a .git of its own the folder is empty, and git would answer for the tree around it.
        guard FileManager.default.fileExists(atPath: inner.root + "/.git"),
            let tree = try await inner.read(excluding: nil)
        else { return GitTree(commit: "", entries: [], differences: ["\(path) (submodule not checked out)"]) }
        let moved = tree.commit == commit ? [] : ["\(path) (submodule at another commit)"]
        return GitTree(
            commit: tree.commit,
            entries: tree.entries.map { ProjectFiles.Entry(path: "\(path)/\($0.path)", kind: $0.kind) },
            differences: moved + tree.differences.map { "\(path)/\($0)" })
    }

    private func difference(_ entry: ProjectFiles.Entry, _ committed: Committed?) throws -> String? {
        guard let committed else { return "\(entry.path) (not committed)" }
        let mode: String
        let id: String
        switch entry.kind {
        case .file(let executable):
            mode = executable ? "100755" : "100644"
            id = try GitBlob.id(ofFile: "\(root)/\(entry.path)", digits: committed.id.utf8.count)
        case .link(let target):
            mode = "120000"
            id = GitBlob.id(of: Array(target.utf8), digits: committed.id.utf8.count)
        }
        guard id == committed.id else { return "\(entry.path) (changed)" }
        return mode == committed.mode ? nil : "\(entry.path) (mode changed)"
    }

    private func list(_ arguments: String...) async throws -> [String] {
        let answer = try await run(arguments)
        guard answer.status == 0 else { throw refused(answer) }
        return try answer.output.split(separator: 0).map { name in
            guard let text = String(validating: name, as: UTF8.self) else {
                throw CommandFailure("the project holds a file whose name is not UTF-8: \(Hex.encode(name))")
            }
            return text
        }
    }

    private func run(_ arguments: String...) async throws -> HostTool.Answer { try await run(arguments) }

    private func run(_ arguments: [String]) async throws -> HostTool.Answer {
        let settings = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false"]
        return try await HostTool.run(git, settings.flatMap { ["-c", $0] } + ["-C", root] + arguments)
    }

    private func refused(_ answer: HostTool.Answer) -> CommandFailure {
        let complaint = answer.errors.split(separator: "\n").map(String.init)
        return CommandFailure(
            "git does not read the project: \(Console.plain(complaint.first ?? "status \(answer.status)"))",
            hint: complaint.last { $0.contains("git config") }.map {
                Console.plain($0.trimmingCharacters(in: .whitespaces))
            })
    }
}
