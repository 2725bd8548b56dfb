// SPDX-License-Identifier: Apache-2.0
import Testing

/// One policy text that is refused, and how.
struct BadPolicy: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int?
    let key: String
    /// Part of the reason.
    let reason: String

    /// Everything but `text` is what the error must say.
    init(_ text: String, line: Int?, _ key: String, _ reason: String) {
        self.text = text
        self.line = line
        self.key = key
        self.reason = reason
    }

    /// A policy of version 1 with one more line.
    static func key(_ text: String, _ key: String, _ reason: String, line: Int = 2) -> BadPolicy {
        BadPolicy("version: 1\n\(text)", line: line, key, reason)
    }

    var testDescription: String { text }

    static let yaml = [
        BadPolicy("", line: nil, "", "empty"),
        BadPolicy("# nothing\n", line: nil, "", "empty"),
        BadPolicy("[1]", line: 1, "", "keys with values expected"),
        BadPolicy("platforms: [snp]", line: 1, "", "'version' is missing"),
        BadPolicy("version: 2", line: 1, "version", "from 1 to 1"),
        BadPolicy("version: \"1\"", line: 1, "version", "found the text '1'"),
        BadPolicy("version: 1\nversion: 1", line: 1, "", "twice"),
        BadPolicy("version: 1\n\"version\": 1", line: 1, "", "twice"),
        BadPolicy("version: 1\n---\nversion: 1", line: 2, "", "another document"),
        BadPolicy("%YAML 1.1\n---\nversion: 1", line: 1, "", "directives"),
        BadPolicy("version: 1\nrequireNonce: &a true", line: 2, "requireNonce", "an anchor"),
        BadPolicy("version: 1\n&a requireNonce: true", line: 2, "", "an anchor"),
        BadPolicy("version: !!int 1", line: 1, "version", "a tag"),
        BadPolicy("version: ! 1", line: 1, "version", "a tag"),
        BadPolicy("version: 1\nisolation: !x [a]", line: 2, "isolation", "a tag"),
        BadPolicy("!x {version: 1}", line: 1, "", "a tag"),
        BadPolicy("version: 1\nisolation: *a", line: 2, "", "alias"),
        BadPolicy("version: 1\n<<: {a: 1}", line: 2, "", "'<<'"),
        BadPolicy("version: 1\n? [a]\n: b", line: 2, "", "a key must be a name"),
        BadPolicy("version: 1\n1: b", line: 2, "", "a key must be a name"),
        BadPolicy("version: 1\nrequireNonce:", line: 2, "requireNonce", "missing"),
        BadPolicy("version: 1\nisolation: \"a\u{202E}b\"", line: 2, "", "U+202e"),
        BadPolicy("version: 1\nisolation: a\u{2028}b", line: 2, "", "U+2028"),
        BadPolicy("version: 1\rrequireNonce: true", line: 1, "", "carriage return"),
        BadPolicy("\u{FEFF}version: 1", line: 1, "", "U+feff"),
        BadPolicy("version: 1\n\tplatforms: a", line: 2, "", "not YAML"),
        BadPolicy("version: [1", line: 2, "", "not YAML"),
        BadPolicy(
            "a: " + String(repeating: "[", count: 14) + String(repeating: "]", count: 14), line: 1,
            "a" + String(repeating: "[0]", count: 12), "nested deeper"),
        BadPolicy(String(repeating: "[", count: 100_000), line: 1, "", "not YAML"),
        BadPolicy("# " + String(repeating: "x", count: 1 << 20), line: nil, "", "at most"),
    ]

    /// What some reader of YAML takes for something else than it looks.
    static let ambiguous = [
        "yes", "No", "on", "OFF", "y", "n", "True", "FALSE", "null", "~", "0755", "-01", "0x1F", "0o17", "0b101",
        "1_000",
        "1.5", "1.", ".5", "1e3", "+1", "-0", "12:30", "1:2:3.5", ".inf", "-.INF", ".NaN", "2026-01-31",
        "2026-1-1 00:00:00Z", "=", "1234567890123456", "12345e67",
    ].map { BadPolicy.key("isolation: \($0)", "isolation", "") }

    static let keys = [
        key("platfroms: [snp]", "platfroms", "did you mean 'platforms'?"),
        key("snp: {minimumTBC: {}}", "snp.minimumTBC", "did you mean 'minimumTCB'?"),
        key("platforms: [spn]", "platforms", "did you mean 'snp'?"),
        key("platforms: []", "platforms", "text, or a list of texts expected, found an empty list"),
        key("platforms: [snp, snp]", "platforms[1]", "stands twice"),
        key("platforms: [1]", "platforms[0]", "text expected, found the number 1"),
        key("platforms: {snp: true}", "platforms", "found keys with values"),
        key("requireNonce: 1", "requireNonce", "true or false expected, found the number 1"),
        key("acceptAnyMeasurementUnsafely: \"true\"", "acceptAnyMeasurementUnsafely", "found the text 'true'"),
        key("acceptSoftwareUnsafely: [true]", "acceptSoftwareUnsafely", "found a list"),
        key("datesAsOf: now", "datesAsOf", "present, build"),
        key("maximumAge: 30", "maximumAge", "such as 30d, 36h or 90m expected, found the number 30"),
        key("maximumAge: 0d", "maximumAge", "such as"), key("maximumAge: 3w", "maximumAge", "such as"),
        key("maximumAge: -3d", "maximumAge", "such as"), key("maximumAge: 99999999d", "maximumAge", "such as"),
        key("source: github.com", "source", "keys with values expected, found the text 'github.com'"),
        key("source: {url: a}", "source.url", "did you mean 'uri'?"),
        key("source: {archive: abcd}", "source.archive", "64 hexadecimal digits expected"),
        key("builder: {ids: a}", "builder.ids", "did you mean 'id'?"),
        key("builder: {version: {cupel: true}}", "builder.version.cupel", "text, or a list of texts"),
        key("source: {}", "source", "at least one key"), key("snp: {}", "snp", "at least one key"),
        key("toolchain: {}", "toolchain", "at least one key"),
        key("toolchain: {tools: []}", "toolchain.tools", "a list with at least one"),
        key("toolchain: {tools: [{version: a}]}", "toolchain.tools[0]", "'name' is missing"),
        key("toolchain: {tools: [{name: a}, {name: a}]}", "toolchain.tools[1].name", "twice"),
        key("toolchain: {tools: [{name: a, sha1: b}]}", "toolchain.tools[0].sha1", "did you mean 'sha256'?"),
        key("toolchain: {tools: [{name: a, sha256: zz}]}", "toolchain.tools[0].sha256", "64 hexadecimal digits"),
        key("toolchain: {tools: [{name: a}], refuseOthers: maybe}", "toolchain.refuseOthers", "true or false"),
        key("require: {platforms: [snp]}", "require", "'atLeast' is missing"),
        key("require: {atLeast: 0}", "require.atLeast", "from 1 to"),
        key("require: {atLeast: 2, platforms: [snp, gcp-snp]}", "require.atLeast", "2 of 1 different platforms"),
        key("software: {}", "software", "at least one key"),
        key("software: {keys: abcd}", "software.keys", "64 hexadecimal digits"),
        key("measurements: {keys: [a.pem]}", "measurements", "'lists' is missing"),
        key("measurements: {list: [a]}", "measurements.list", "did you mean 'lists'?"),
        key("images: [{name: a}]", "images[0]", "'platform' is missing"),
        key(
            "images:\n  - {platform: software, name: a, version: b, registers: {}}", "images[0].platform",
            "'software' is not one of", line: 3),
        key("images: [{platform: snp, name: a, version: b, registers: {}}]", "images[0].registers", "at least one"),
        key(
            "images: [{platform: snp, name: a, version: b, registers: {MRTD: aa}}]", "images[0].registers.MRTD",
            "no such key"),
        key(
            "images: [{platform: snp, name: a, version: b, registers: {MEASUREMENT: aa}}]",
            "images[0].registers.MEASUREMENT", "96 hexadecimal digits expected, found 2"),
        key(
            "images: [{platform: vtpm, name: a, version: b, registers: {PCR24: aa}}]", "images[0].registers.PCR24",
            "did you mean 'PCR14'?"),
        key(
            "images: [{platform: snp, name: a, version: \"\", registers: {MEASUREMENT: aa}}]",
            "images[0].version", "text expected, found empty text"),
        key("snp: {maximumVMPL: 4}", "snp.maximumVMPL", "from 0 to 3 expected, found the number 4"),
        key("snp: {minimumTCB: {milan: {snp: 1}}}", "snp.minimumTCB.milan", "did you mean 'Milan'?"),
        key("snp: {minimumTCB: {Milan: {fmc: 1}}}", "snp.minimumTCB.Milan.fmc", "no such key"),
        key("snp: {minimumTCB: {Milan: {microcode: 256}}}", "snp.minimumTCB.Milan.microcode", "from 0 to 255"),
        key("snp: {authorKeyDigest: aa}", "snp.authorKeyDigest", "96 hexadecimal digits expected, found 2"),
        key("tdx: {acceptedTCBStatuses: [Revoked]}", "tdx.acceptedTCBStatuses", "'Revoked' is not one of"),
        key("tdx: {acceptedTCBStatuses: [UptoDate]}", "tdx.acceptedTCBStatuses", "did you mean 'UpToDate'?"),
        key("tdx: {requireSeptVEDisable: true}", "tdx.requireSeptVEDisable", "did you mean 'requireSEPTVEDisable'?"),
        key("tdx: {rtmrs: {RTMR4: aa}}", "tdx.rtmrs.RTMR4", "no such key"),
        key("tdx: {minimumTEETCBSVN: aa}", "tdx.minimumTEETCBSVN", "32 hexadecimal digits"),
        key("tdx: {acceptedMRSEAMs: [aa]}", "tdx.acceptedMRSEAMs", "96 hexadecimal digits"),
        key("tdx: {minimumTCBEvaluationDataNumber: -1}", "tdx.minimumTCBEvaluationDataNumber", "from 0 to"),
        key("tdx: {acceptDebugGuestsUnsafely: debug}", "tdx.acceptDebugGuestsUnsafely", "true or false"),
        key("tdx: {acceptedAdvisories: [1]}", "tdx.acceptedAdvisories[0]", "text expected"),
        key("snp: {products: [Rome]}", "snp.products", "'Rome' is not one of Milan, Genoa, Turin"),
        key("snp: {signingKeys: VCKE}", "snp.signingKeys", "did you mean 'VCEK'?"),
        key("snp: {chipIDs: aabb}", "snp.chipIDs", "16 or 128 hexadecimal digits"),
        key("snp: {minimumFirmware: {major: 1, minor: 55}}", "snp.minimumFirmware", "'build' is missing"),
        key("snp: {minimumABI: {major: 1, minor: 256}}", "snp.minimumABI.minor", "from 0 to 255"),
        key("snp: {minimumTCB: {Milan: {}}}", "snp.minimumTCB.Milan", "at least one key"),
        key("snp: {requiredMitigations: 3}", "snp.requiredMitigations", "16 hexadecimal digits expected"),
        key("snp: {platformRequirements: noSmt}", "snp.platformRequirements", "did you mean 'noSMT'?"),
        key("snp: {guestRequirements: [noSMT, tsme]}", "snp.guestRequirements", "'tsme' is not one of"),
        key("snp: {hostData: aa}", "snp.hostData", "64 hexadecimal digits expected, found 2"),
        key("tpm: {certificateAuthority: a}", "tpm.certificateAuthority", "did you mean 'certificateAuthorities'?"),
        key("tpm: {requiredRegisters: [PCR24]}", "tpm.requiredRegisters", "'PCR24' is not one of"),
        key("tpm: {requiredRegisters: [7]}", "tpm.requiredRegisters[0]", "text expected"),
        key("tpm: {attestationKeyNames: aa}", "tpm.attestationKeyNames", "68 or 100 hexadecimal digits"),
        key("tpm: {acceptSHA1BankUnsafely: 1}", "tpm.acceptSHA1BankUnsafely", "true or false"),
        key("tpm: {certificateAuthorities: \"-----BEGIN x\"}", "tpm.certificateAuthorities", "PEM"),
        key("tdx: {mrOwner: 00}", "tdx.mrOwner", "quote it"),
    ]
}
