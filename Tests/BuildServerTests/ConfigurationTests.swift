// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Testing

@Suite struct ConfigurationTests {
    private static func load(_ text: String) throws -> Configuration {
        try Configuration.load(file: .init(name: "cupel.toml", text: text))
    }

    @Test func nothingGivenMeansTheDefaults() throws {
        let configuration = try Configuration.load(isRoot: true)
        #expect(configuration == Configuration())
        #expect(configuration.host == "127.0.0.1" && configuration.port == 8080 && configuration.sandbox)
        #expect(!configuration.allowPrivateSources)
        #expect(configuration.concurrency >= 1)
    }

    @Test func anOrdinaryUsersDataLiesInTheirOwnFolder() throws {
        #expect(try Configuration.load(environment: ["HOME": "/home/a"]).data == "/home/a/.local/share/cupel")
        #expect(try Configuration.load(environment: ["HOME": "/h", "XDG_DATA_HOME": "/x"]).data == "/x/cupel")
        #expect(try Configuration.load(environment: ["HOME": "/root"], isRoot: true).data == "/var/lib/cupel")
    }

    @Test func theFileSetsEveryKindOfValue() throws {
        let configuration = try Self.load(
            """
            host = "0.0.0.0"
            port = 9000
            sandbox = false
            attester = "az-snp"
            [limits]
            memory = "2 GiB"
            disk_size = 1048576
            build_seconds = 60
            compression_ratio = 7
            """)
        #expect(configuration.host == "0.0.0.0" && configuration.port == 9000 && !configuration.sandbox)
        #expect(configuration.attester == "az-snp")
        #expect(configuration.limits.memory == 2 << 30 && configuration.limits.diskSize == 1 << 20)
        #expect(configuration.limits.buildSeconds == 60 && configuration.limits.compressionRatio == 7)
    }

    @Test func theCommandLineWinsOverTheEnvironmentOverTheFile() throws {
        let configuration = try Configuration.load(
            file: .init(name: "f", text: "port = 1\nconcurrency = 1\nqueue_length = 1"),
            environment: ["CUPEL_CONCURRENCY": "2", "CUPEL_QUEUE_LENGTH": "2", "PATH": "/bin"],
            overrides: ["queue_length": "3"])
        #expect(configuration.port == 1 && configuration.concurrency == 2 && configuration.queueLength == 3)
    }

    @Test(arguments: [
        ("age = \"30 days\"", 30 * 86400), ("age = \"1 day\"", 86400), ("age = \"12 hours\"", 43200),
        ("age = \"5 minutes\"", 300), ("age = \"7 seconds\"", 7), ("age = 60", 60), ("age = \"60\"", 60),
        ("age = \"none\"", 0), ("age = 0", 0),
    ]) func aSpanOfTimeIsWrittenAsPeopleSayIt(text: String, seconds: Int) throws {
        #expect(try Self.load("[retention]\n" + text).retention.age == seconds)
    }

    @Test(arguments: [
        "-1", "\"\"", "\"30 days ago\"", "\"30 dayss\"", "\"days\"", "\"99999999999999999 days\"", "1.5", "true",
    ])
    func aSpanThatIsNoneIsRefused(text: String) {
        #expect(throws: ConfigurationError.self) { try Self.load("[retention]\nage = \(text)") }
    }

    @Test func aSizeMayBeNoneOnlyWhereThatMeansAnything() throws {
        #expect(try Self.load("[retention]\nsize = \"2 TiB\"").retention.size == 2 << 40)
        #expect(try Self.load("[retention]\nsize = \"none\"").retention.size == 0)
        #expect(throws: ConfigurationError.self) { try Self.load("[limits]\nmemory = \"none\"") }
    }

    @Test(arguments: [
        ("prot = 1", "unknown setting prot", "did you mean port?"),
        ("[limits]\nmemroy = 1", "unknown setting limits.memroy", "did you mean limits.memory?"),
        ("port = \"http\"", "port in cupel.toml must be a whole number", nil),
        ("port = 65536", "port in cupel.toml must be a whole number", nil),
        ("port = 1.5", "port in cupel.toml must be a whole number", nil),
        ("sandbox = \"false\"", "sandbox in cupel.toml must be true or false", nil),
        ("sandbox = 0", "sandbox in cupel.toml must be true or false", nil),
        ("host = \"\"", "host in cupel.toml must be text", nil),
        ("isolation = \"docker\"", "isolation in cupel.toml must be one of auto, here, vm, sandbox", nil),
        ("[machine]\nkind = \"sev\"", "machine.kind in cupel.toml must be one of auto, snp, tdx, vtpm", nil),
        ("[machine]\nmemory = \"1 MiB\"", "machine.memory in cupel.toml must be a number of bytes", nil),
        ("[machine]\nimages = \"x\"", "unknown setting machine.images", "did you mean machine.image?"),
        ("attester = \"sgx\"", "attester in cupel.toml must be one of auto, snp, tdx,", nil),
        ("attester = true", "attester in cupel.toml must be one of auto, snp, tdx,", nil),
        ("concurrency = 0", "concurrency in cupel.toml must be a whole number", nil),
        ("[limits]\nmemory = \"2 GB\"", "limits.memory in cupel.toml must be a number of bytes", nil),
        ("[limits]\nmemory = -1", "limits.memory in cupel.toml must be a number of bytes", nil),
        ("[limits]\nmemory = \"99999999999 TiB\"", "limits.memory in cupel.toml must be a number of bytes", nil),
        ("[limits.more]\nx = 1", "unknown setting limits.more", nil),
        ("port = ", "cupel.toml line 1", nil),
        ("port = 1\nport = 2", "cupel.toml line 2", nil),
    ]) func aWrongFileIsRefused(text: String, message: String, hint: String?) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.load(text) }
        #expect(error.message.hasPrefix(message), "\(error)")
        if let hint { #expect(error.hint == hint) }
    }

    @Test func anUnknownVariableIsRefusedAndThoseOfOtherCommandsAreNot() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.load(environment: ["CUPEL_LIMITS_BUILD_SECOND": "5"])
        }
        #expect(error.hint == "did you mean CUPEL_LIMITS_BUILD_SECONDS?")
        #expect(throws: Never.self) { try Configuration.load(environment: ["CUPEL_SERVER": "http://x"]) }
    }

    @Test func everyKeyIsDocumentedAndItsDocumentationLoads() throws {
        for key in ConfigurationKey.all {
            #expect(key.meaning.hasSuffix(".") && key.risk.hasSuffix("."), "\(key.name)")
        }
        let lines = ConfigurationKey.documentation.split(separator: "\n").map { line in
            line.contains(" = ") && line.hasPrefix("# ") ? String(line.dropFirst(2)) : String(line)
        }
        var expected = Configuration()
        expected.data = try Configuration.load().data
        var loaded = try Self.load(lines.joined(separator: "\n"))
        loaded.data = expected.data
        #expect(loaded == expected)
        #expect(lines.filter { $0.contains(" = ") && !$0.hasPrefix("#") }.count == ConfigurationKey.all.count)
    }

    @Test(arguments: ConfigurationKey.all.map(\.environmentName)) func everyKeyIsAVariable(name: String) {
        #expect(throws: ConfigurationError.self) { try Configuration.load(environment: [name: ""]) }
    }
}
