// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

/// How a failure of Nix is called. The texts are those of Nix 2.8, 2.26 and 2.34.
@Suite struct NixFailureTests {
    private static func answer(_ status: Int32, _ lines: String...) -> CommandAnswer {
        CommandAnswer(outcome: CommandOutcome(status: status), standardOutput: [], lines: lines)
    }

    /// Whether the lockfile fits is asked without network: what would have to be fetched for it is not pinned.
    @Test(arguments: [
        (
            "error: flake 'path:/build/source' requires lock file changes but they're not allowed due to "
                + "'--no-update-lock-file'", BuildFailure.Kind.lockfile
        ),
        ("error: cannot write modified lock file of flake 'path:/build/source'", .build),
        ("error: syntax error, unexpected '}'", .build),
        ("error: unable to download 'http://127.0.0.1/x.tar.gz': HTTP error 404", .lockfile),
        (
            "error: NAR hash mismatch in input 'http://127.0.0.1/x.tar.gz', expected 'sha256-A', got 'sha256-B'",
            .lockfile
        ),
    ]) func ofReadingTheFlake(_ line: String, _ kind: BuildFailure.Kind) {
        #expect(NixFailure.lockfile(Self.answer(1, "warning: something", line)).kind == kind)
    }

    @Test(arguments: [
        (
            "error: cannot build '/nix/store/a.drv' during evaluation because the option "
                + "'allow-import-from-derivation' is disabled", BuildFailure.Kind.unsupportedToolchain
        ),
        ("error: in pure evaluation mode, 'fetchTarball' requires a 'sha256' argument", .unpinnedDependency),
        (
            "error: access to absolute path '/etc' is forbidden in pure eval mode (use '--impure' to override)",
            .unpinnedDependency
        ),
        ("error: attribute 'currentTime' missing", .build),
        ("error: unable to download 'http://127.0.0.1/x': Couldn't connect to server (7)", .source),
    ]) func ofEvaluation(_ line: String, _ kind: BuildFailure.Kind) {
        #expect(NixFailure.evaluation(Self.answer(1, line)).kind == kind)
    }

    @Test func ofDownloads() {
        #expect(NixFailure.download(Self.answer(102, "error: something")).kind == .inputVerification)
        #expect(
            NixFailure.download(Self.answer(1, "error: hash mismatch in fixed-output derivation '/nix/store/a.drv':"))
                .kind
                == .inputVerification)
        #expect(NixFailure.download(Self.answer(1, "error: unable to download 'http://x'")).kind == .source)
    }

    @Test func theReasonIsNixsOwnFirstError() {
        let answer = Self.answer(1, "trace: a", "       error: the reason", "error: 1 dependency failed")
        #expect(NixFailure.download(answer).message.hasSuffix(": the reason"))
        #expect(NixFailure.download(Self.answer(7)).message.hasSuffix("Nix ended with status 7"))
    }
}
