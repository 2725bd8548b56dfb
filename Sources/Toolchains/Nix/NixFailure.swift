// SPDX-License-Identifier: Apache-2.0
package import Builds

/// Why a command of Nix failed. That it failed, its status says; its words only choose among the kinds of failure, and
/// reach the requester.
package enum NixFailure {
    /// Nix's exit status where something fetched has another hash than promised (`nix-store --realise`).
    private static let hashMismatch: Int32 = 102

    /// Of reading the flake and its lockfile.
    package static func lockfile(_ answer: CommandAnswer) -> BuildFailure {
        // There was no network, and none is needed where the lockfile fits.
        if words(answer).contains("lock file changes") || input(answer) != nil { return unfitLockfile }
        return BuildFailure(.build, text("the flake could not be read", answer))
    }

    static let unfitLockfile = BuildFailure(
        .lockfile, "flake.lock is missing or does not fit flake.nix; run nix flake lock and add it to the source")

    /// Of fetching what the lockfile pins.
    package static func inputs(_ answer: CommandAnswer) -> BuildFailure {
        input(answer) ?? BuildFailure(.source, text("an input of the flake could not be fetched", answer))
    }

    package static func evaluation(_ answer: CommandAnswer) -> BuildFailure {
        let whole = words(answer)
        if whole.contains("allow-import-from-derivation") {
            return BuildFailure(
                .unsupportedToolchain,
                text("evaluating the flake would need to build something first (import from derivation)", answer))
        }
        let impure = ["pure evaluation mode", "pure eval mode", "unlocked flake reference"]
        if impure.contains(where: whole.contains) {
            return BuildFailure(
                .unpinnedDependency, text("the flake asks for something that nothing pins", answer))
        }
        return input(answer) ?? BuildFailure(.build, text("the flake could not be evaluated", answer))
    }

    package static func download(_ answer: CommandAnswer) -> BuildFailure {
        if answer.outcome.status == hashMismatch || words(answer).contains("hash mismatch") {
            return BuildFailure(.inputVerification, text("a download is not what its hash promises", answer))
        }
        return BuildFailure(.source, text("a dependency could not be fetched", answer))
    }

    /// Where an input of the flake is what fails.
    private static func input(_ answer: CommandAnswer) -> BuildFailure? {
        let whole = words(answer)
        let differs = ["hash mismatch", "attribute mismatch", "mismatch in field"]
        if answer.outcome.status == hashMismatch || differs.contains(where: whole.contains) {
            return BuildFailure(.inputVerification, text("an input is not what flake.lock promises", answer))
        }
        let unavailable = [
            "unable to download", "unable to fetch", "failed to fetch", "program 'git' failed",
            "cannot find git revision",
        ]
        guard unavailable.contains(where: whole.contains) else { return nil }
        return BuildFailure(.source, text("an input of the flake could not be fetched", answer))
    }

    /// The first line that Nix calls an error.
    static func text(_ what: String, _ answer: CommandAnswer) -> String {
        guard let reason = errors(answer).first ?? lines(answer).last else {
            return "\(what): Nix ended with status \(answer.outcome.status)"
        }
        return "\(what): \(shown(String(reason)))"
    }

    private static func lines(_ answer: CommandAnswer) -> [Substring] {
        answer.lines.map { $0.trimmingPrefix(while: \.isWhitespace) }.filter { !$0.isEmpty }
    }

    private static func errors(_ answer: CommandAnswer) -> [Substring] {
        lines(answer).filter { $0.hasPrefix("error: ") }.map { $0.dropFirst(7) }
    }

    /// Only what Nix calls an error, in lower case: flakes can print too, and versions differ in capitals.
    private static func words(_ answer: CommandAnswer) -> String {
        errors(answer).joined(separator: " ").lowercased()
    }
}
