// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import StrictJSON

/// A verifier's policy as it is written: YAML, read strictly. docs/policy.md explains every key.
///
/// The file can name others, by paths relative to itself: whoever reads it hands their contents to
/// ``policy(files:present:)``, as nothing here reads a file.
public struct PolicyFile: Sendable {
    /// The paths of all other files that the policy names, each once, in the order of the file.
    public let references: [String]
    private let members: PolicyMembers
    private let sha256: Digest256

    static let keys = [
        "version", "platforms", "images", "measurements", "acceptAnyMeasurementUnsafely", "acceptSoftwareUnsafely",
        "software", "snp", "tdx", "tpm", "requireNonce", "datesAsOf", "maximumAge", "source", "builder", "buildTypes",
        "isolation", "toolchain", "phasesWithoutNetwork", "require",
    ]

    /// The names of all keys that have a table in the documentation.
    package static var documentedKeys: [String] { keys + SNPKeys.known + TDXKeys.known + TPMKeys.known }

    /// Throws at everything that is not understood; the referenced files are not looked at yet.
    public init(parsing bytes: [UInt8]) throws(PolicyError) {
        members = try PolicyMembers(YAMLDocument(parsing: bytes), known: Self.keys)
        sha256 = Digest256(of: bytes)
        try members.required("version")
        _ = try members.number("version", 1...1)
        references = try Self.references(members)
        // Every key is read once without the files, so that a fault in this file is told before one in another.
        _ = try decoded(contents: nil, present: nil)
    }

    /// The policy that the file asks for.
    ///
    /// - Parameters:
    ///   - name: what the file is called, for reports.
    ///   - files: the contents of ``references``.
    ///   - present: seconds since 1970 by the clock; the dates of signed lists are not judged if `nil`.
    public func policy(
        name: String, files: [String: [UInt8]], present: Int64?
    ) throws(PolicyError) -> VerificationPolicy {
        var policy = try decoded(contents: files, present: present)
        policy.file = PolicyFileName(name: name, sha256: sha256)
        policy.present = present
        return policy
    }

    private func decoded(contents files: [String: [UInt8]]?, present: Int64?) throws(PolicyError) -> VerificationPolicy
    {
        var policy = VerificationPolicy()
        if let names = try members.names("platforms", of: Platform.allCases.map(\.rawValue)) {
            policy.platforms = Set(names.compactMap { Platform(rawValue: $0)?.family })
        }
        policy.requiresNonce = try members.flag("requireNonce") ?? false
        policy.acceptsBuildTime = try members.names("datesAsOf", of: ["present", "build"]) != ["present"]
        policy.quorum = try quorum()
        policy.softwareKeys = try softwareKeys()
        policy.appraisal = try appraisal(files, present: present)
        policy.provenance = try ProvenanceKeys(members).policy()
        return policy
    }

    private func appraisal(_ files: [String: [UInt8]]?, present: Int64?) throws(PolicyError) -> AppraisalPolicy {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = try members.flag("acceptAnyMeasurementUnsafely") ?? false
        policy.acceptSoftwareUnsafely = try members.flag("acceptSoftwareUnsafely") ?? false
        policy.knownImages = try ImageEntry.images(members, "images")
        policy.knownImages += try listedImages(files, present: present)
        try PlatformKeys(members).apply(to: &policy, files: files)
        return policy
    }

    private func listedImages(
        _ files: [String: [UInt8]]?, present: Int64?
    ) throws(PolicyError) -> [KnownImage] {
        guard let section = try members.inner("measurements", known: ["lists", "keys"]) else { return [] }
        try section.required("lists")
        guard let files else { return [] }
        var keys: [VerificationKey] = VerificationKey.cupelReleases
        for text in try section.texts("keys") ?? [] {
            do {
                keys.append(
                    try VerificationKey(text: VerificationKey.isKeyItself(text) ? Array(text.utf8) : files[text] ?? []))
            } catch {
                throw section.refusal("keys", "'\(text.prefix(60))': \(error)")
            }
        }
        var images: [KnownImage] = []
        for name in try section.texts("lists") ?? [] {
            do {
                images += try MeasurementList(signed: files[name] ?? [], keys: keys, at: present).images
            } catch {
                throw section.refusal("lists", "'\(name)': \(error)")
            }
        }
        return images
    }

    private func quorum() throws(PolicyError) -> PlatformQuorum? {
        guard let section = try members.inner("require", known: ["platforms", "atLeast"]) else { return nil }
        try section.required("atLeast")
        let names = try section.names("platforms", of: Platform.allCases.map(\.rawValue)) ?? []
        let platforms = Set(names.compactMap { Platform(rawValue: $0) })
        let quorum = PlatformQuorum(
            atLeast: try section.number("atLeast", 1...Platform.allCases.count) ?? 1, platforms: platforms)
        guard quorum.platforms.isEmpty || quorum.atLeast <= quorum.platforms.count else {
            throw section.refusal(
                "atLeast", "\(quorum.atLeast) of \(quorum.platforms.count) different platforms cannot be")
        }
        return quorum
    }

    private func softwareKeys() throws(PolicyError) -> Set<[UInt8]> {
        guard let section = try members.inner("software", known: ["keys"]) else { return [] }
        try section.required("keys")
        return Set(try section.digests("keys")?.map(\.bytes) ?? [])
    }

    private static func references(_ members: PolicyMembers) throws(PolicyError) -> [String] {
        let measurements = try members.inner("measurements", known: ["lists", "keys"])
        let keys = try measurements?.texts("keys")?.filter { !VerificationKey.isKeyItself($0) }
        let authorities = try members.inner("tpm", known: nil)?.texts(TPMKeys.authorities)
        let named =
            (try measurements?.texts("lists") ?? []) + (keys ?? [])
            + (authorities ?? []).filter { !$0.contains("-----BEGIN") }
        var references: [String] = []
        for name in named where !references.contains(name) { references.append(name) }
        return references
    }
}
