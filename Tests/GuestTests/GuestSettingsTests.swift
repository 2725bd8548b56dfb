// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Guest
import Testing

@Suite struct GuestSettingsTests {
    private static let machine = MachineSize(memory: 2 << 30, disk: 8 << 30, files: 1000)
    private static let most: Int64 = (2 << 30) - (256 << 20)

    private static func load(_ text: String?) throws -> Configuration {
        try GuestSettings.load(text.map { Configuration.File(name: "guest.toml", text: $0) }, machine: machine)
    }

    @Test func withoutAFileTheMachineSaysWhatABuildMayUse() throws {
        let settings = try Self.load(nil)
        #expect(settings.limits.memory == Self.most && settings.limits.diskSize == 6 << 30)
        #expect(settings.limits.diskFiles == 750 && settings.concurrency == 1 && settings.sandbox)
        #expect(settings.host == "0.0.0.0" && settings.port == 8080 && settings.data == "/var/lib/cupel")
        #expect(settings.logLevel == "warning")
    }

    @Test func aBuildMayUseMostOfALargeMachine() throws {
        let large = MachineSize(memory: 64 << 30, disk: 1 << 40, files: 100_000_000)
        let limits = try GuestSettings.load(nil, machine: large).limits
        #expect(limits.memory == 56 << 30 && limits.diskSize == 20 << 30 && limits.diskFiles == 2_000_000)
    }

    @Test func theImageMaySayLessButNotMoreThanThereIs() throws {
        #expect(try Self.load("[limits]\nmemory = \"1 GiB\"\n").limits.memory == 1 << 30)
        #expect(try Self.load("[limits]\nmemory = \"64 GiB\"\n").limits.memory == Self.most)
        #expect(try Self.load("[limits]\ndisk_size = \"64 GiB\"\n").limits.diskSize == 6 << 30)
    }

    @Test func settingsOfAMachineThatBuildsOnceAreTaken() throws {
        let settings = try Self.load(
            "builder_id = \"https://example.com/b\"\nallow_private_sources = true\n"
                + "[guest]\nwait = \"none\"\nkeep = \"2 minutes\"\n[log]\nlevel = \"info\"\n")
        #expect(settings.builderID == "https://example.com/b" && settings.allowPrivateSources)
        #expect(settings.patience == OneBuild.Patience(job: nil, reader: .seconds(120)))
        #expect(settings.logLevel == "info")
    }

    @Test(arguments: [
        "host = \"::\"", "port = 1", "data = \"/tmp\"", "concurrency = 2", "queue_length = 9", "sandbox = false",
        "attester = \"software\"", "grace_seconds = 1", "[retention]\nage = \"1 day\"", "[client]\njobs = 1",
    ]) func whatMakesNoSenseThereIsRefused(text: String) throws {
        #expect(throws: ConfigurationError.self) { try Self.load(text) }
    }

    @Test func whatIsUnknownIsRefused() throws {
        #expect(throws: ConfigurationError.self) { try Self.load("[limits]\nmemry = 1\n") }
    }

    @Test func patienceIsBoundedUnlessTheImageSaysOtherwise() throws {
        #expect(try Self.load(nil).patience == OneBuild.Patience(job: .seconds(86400), reader: .seconds(3600)))
    }
}
