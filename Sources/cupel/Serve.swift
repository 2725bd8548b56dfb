// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildServer

/// `cupel serve`: builds for others, over HTTP.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build for others, over HTTP.",
        discussion: """
            EXAMPLES:
              cupel serve
              cupel serve --host 0.0.0.0 --port 9000 --data /srv/cupel
              cupel serve --print-config > cupel.toml; cupel serve --config cupel.toml

            Prints its address on standard output when it answers there. SIGTERM ends it: no new jobs,
            running builds get a grace period, the others go on at the next start.

            Every setting can be given in the file, in the environment (CUPEL_PORT) or, some of them, as an
            option; the last of these wins.
            """)

    @Option(help: "Name or address of this machine to listen on. (default: 127.0.0.1)")
    var host: String?

    @Option(help: "Port to listen on; 0 takes any free one. (default: 8080)")
    var port: Int?

    @Option(
        help: ArgumentHelp(
            "Folder for jobs, results and the key. (default: /var/lib/cupel, or ~/.local/share/cupel)", valueName: "dir"
        ))
    var data: String?

    @Option(help: ArgumentHelp("Builds at one time. (default: one for two cores)", valueName: "n"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp(
            "Where builds run: here (this is a confidential machine), vm, sandbox or auto. (default: auto)",
            valueName: "place"))
    var isolation: String?

    @Flag(help: "Let git sources and registries be at loopback, link-local and private addresses.")
    var allowPrivateSources = false

    @Flag(help: "Run builds unconfined: they can do whatever this user can. The provenance records it.")
    var noSandbox = false

    @Option(
        help: ArgumentHelp(
            "Who vouches for this machine: auto, snp, tdx, az-snp, az-tdx, vtpm or software. (default: auto)",
            valueName: "platform"))
    var attester: String?

    @Option(help: ArgumentHelp("A file with settings, in TOML. (default: CUPEL_CONFIG)", valueName: "file"))
    var config: String?

    @Flag(help: "Print a file with every setting, its default and its risk, and exit.")
    var printConfig = false

    func run() async throws {
        if printConfig { return Console.print(ConfigurationKey.documentation) }
        try await ServerAssembly(configuration: try ServerSettings.load(file: config, overrides: overrides)).run()
    }

    private var overrides: [String: String] {
        var overrides: [String: String] = [:]
        overrides["host"] = host
        overrides["port"] = port.map(String.init)
        overrides["data"] = data
        overrides["concurrency"] = concurrency.map(String.init)
        overrides["isolation"] = isolation
        overrides["attester"] = attester
        if allowPrivateSources { overrides["allow_private_sources"] = "true" }
        if noSandbox { overrides["sandbox"] = "false" }
        return overrides
    }
}
