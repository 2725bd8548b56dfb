// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import BuildClient
import Builds
import Foundation
import Verification

/// `cupel build`: builds a project here or on a server, and leaves a verified bundle.
struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build a project, here or on a server, and verify the result.",
        discussion: """
            EXAMPLES:
              cupel build .                                          build here, into result/NAME
              cupel build . --server http://127.0.0.1:8080           have a server build it
              cupel build https://github.com/you/project --ref v1.2.3 --output release
              cupel build . --server http://127.0.0.1:8080 --images images.json --tpm-ca ca.pem

            A project under git is built as committed: where files differ from the commit, nothing is
            built, unless you say --allow-dirty. An upload is never recorded as a commit; for that,
            build from the repository's URL.

            The result is verified as 'cupel verify' does it, by what you name of --policy, --images,
            --measurements and --tpm-ca. Where you name nothing, a key's word is enough, and hardware's
            is not: who built is unknown then.
            """)

    @Argument(
        help: ArgumentHelp("The project's folder, or the URL of its git repository.", valueName: "path | git-url"))
    var source = "."

    @Option(help: "Branch, tag or commit; only with a git URL.")
    var ref: String?

    @Option(help: "Have this server build, such as http://127.0.0.1:8080. (default: CUPEL_SERVER; else build here)")
    var server: String?

    @Option(
        help: ArgumentHelp("1 to 16 bytes that the evidence shall carry. (default: 16 random bytes)", valueName: "hex"))
    var nonce: String?

    @Option(
        help: ArgumentHelp(
            "The folder in which the bundle is put, as a folder with the project's name.", valueName: "dir"))
    var output = "result"

    @Flag(help: "Build files that are not committed; the source is then not the commit.")
    var allowDirty = false

    @Flag(help: "Without a server: let git and registries be at loopback and private addresses.")
    var allowPrivateSources = false

    @Flag(help: "Without a server: run the build unconfined, with all that you may do. The provenance records it.")
    var noSandbox = false

    @Option(
        help: ArgumentHelp(
            """
            Without a server: who vouches for this machine: auto, snp, tdx, az-snp, az-tdx, vtpm or software. \
            (default: auto)
            """, valueName: "platform"))
    var attester: String?

    @Flag(help: "Print one JSON object a line: the events, the verification, the outcome.")
    var json = false

    @OptionGroup var trust: TrustOptions

    @OptionGroup var collateralOptions: CollateralOptions

    func validate() throws {
        guard ref == nil || isRepository else { throw ValidationError("--ref needs the URL of a git repository") }
        if server?.isEmpty == false, noSandbox || allowPrivateSources || attester != nil {
            throw ValidationError("--no-sandbox, --allow-private-sources and --attester are the server's to decide")
        }
    }

    func run() async throws {
        try await cancellingOnInterrupt { try await BuildSession(self).run() }
    }

    /// What the result must be. A key is believed only where nothing else was named.
    func verificationPolicy(_ nonce: Nonce) throws -> VerificationPolicy {
        var wanted = try collateralOptions.timed(try trust.verificationPolicy())
        wanted.nonce = nonce
        if trust.isEmpty { wanted.appraisal.acceptSoftwareUnsafely = true }
        return wanted
    }

    var isRepository: Bool { source.contains("://") || source.hasPrefix("git@") }

    /// The server's address, where one is to build.
    func serverAddress() throws -> ServerAddress? {
        let text = server ?? ProcessInfo.processInfo.environment["CUPEL_SERVER"] ?? ""
        return text.isEmpty ? nil : try ServerAddress(text)
    }

    func chosenNonce() throws -> Nonce {
        if let nonce { return try Nonce(hex: nonce) }
        var random = SystemRandomNumberGenerator()
        return try Nonce(bytes: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    func repository() throws -> GitSource {
        do {
            return GitSource(url: try GitURL(source), ref: try ref.map { try GitRef($0) })
        } catch let error as InvalidRequest {
            throw CommandFailure(
                error.message.replacing("repo_url", with: "the URL").replacing("repo_ref", with: "--ref"),
                hint: "repositories are cloned over https:// or http://, without a password")
        }
    }
}
