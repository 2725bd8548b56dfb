// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// How git is called: nothing of the host's or the repository's configuration may decide what happens.
struct GitCommand {
    let executable: String
    let workspace: Workspace
    /// Name of the repository's folder in the `home` part: apart from the work tree, so that the source never holds
    /// a `.git`.
    let repository: String
    /// The work tree's path below the source; empty for the source itself.
    let folder: String

    /// `CURLOPT_RESOLVE` value that binds the remote's host (git 2.37 and later); `nil` for none.
    var pin: String?

    var gitFolder: String { workspace.inside(.home) + "/" + repository }

    /// - Parameter seconds: until the command is ended.
    func command(_ arguments: [String], network: Bool, seconds: Int) -> Command {
        let workTree = folder.isEmpty ? workspace.inside(.source) : workspace.inside(.source) + "/" + folder
        let pins = pin.map { ["http.curloptResolve=\($0)"] } ?? []
        let options = (Self.configuration + pins).flatMap { ["-c", $0] }
        return Command(
            executable, ["--git-dir=\(gitFolder)", "--work-tree=\(workTree)"] + options + arguments,
            environment: environment, workingDirectory: workTree, network: network,
            writable: [.source, .home, .temporary], timeLimit: seconds)
    }

    private var environment: [String: String] {
        [
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": workspace.inside(.home),
            "LC_ALL": "C",
            "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS": "",
            "GIT_SSH_COMMAND": "/bin/false",
            "GIT_ALLOW_PROTOCOL": "http:https",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_ADVICE": "0",
        ]
    }

    private static let configuration = [
        "protocol.allow=never", "protocol.http.allow=always", "protocol.https.allow=always", "protocol.version=2",
        // A redirect would lead past the check of the host's addresses.
        "http.followRedirects=false", "http.proxy=", "http.cookieFile=", "http.saveCookies=false",
        "credential.helper=", "core.askPass=", "core.sshCommand=/bin/false", "core.gitProxy=none",
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false",
        "core.attributesFile=/dev/null",
        "core.excludesFile=/dev/null", "core.autocrlf=false", "core.eol=lf", "core.symlinks=true", "core.fileMode=true",
        "core.ignoreCase=false", "core.pager=cat", "core.sparseCheckout=false", "core.commitGraph=false",
        "core.multiPackIndex=false", "submodule.recurse=false", "fetch.recurseSubmodules=false",
        "fetch.writeCommitGraph=false", "gc.auto=0", "maintenance.auto=false", "init.defaultBranch=main",
        "transfer.bundleURI=false", "advice.detachedHead=false", "filter.lfs.smudge=", "filter.lfs.process=",
        "filter.lfs.required=false",
    ]

    /// `info/attributes` of every repository, the place that wins over all others: files come out as they are stored,
    /// with no line ends, keywords or encodings changed and no filter run.
    static let attributes = "* -text -ident -filter !eol !working-tree-encoding\n"
}
