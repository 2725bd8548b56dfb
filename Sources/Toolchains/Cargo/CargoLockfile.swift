// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
internal import StrictJSON
internal import StrictTOML

/// One `[[package]]` of a `Cargo.lock`.
public struct LockedPackage: Hashable, Sendable {
    public let name: String
    public let version: String
    /// `nil` for packages of the source tree itself.
    public let source: CargoSource?
    /// As it stands in the lockfile: the SHA-256 of the `.crate` file where it is one.
    public let checksum: String?

    /// The checksum, where it is one: 64 lower-case hexadecimal digits.
    var digest: Digest256? { checksum.flatMap { try? Digest256(hex: $0) } }

    var title: String { "\(shown(name)) \(shown(version))" }
}

/// A `Cargo.lock` of format 3 or 4, checked.
public struct CargoLockfile: Hashable, Sendable {
    /// Bytes; larger lockfiles are refused.
    public static let maximumSize = 4 << 20

    /// 3 or 4.
    public let version: Int
    /// In the file's order.
    public let packages: [LockedPackage]

    /// Throws `LockfileError` where the file is malformed, of another format, names a package twice, or names a
    /// dependency that is no package of it.
    public init(parsing bytes: [UInt8]) throws(BuildFailure) {
        let document: JSONValue
        do {
            document = try TOMLDocument.parse(bytes, name: "Cargo.lock", limit: Self.maximumSize)
        } catch {
            throw Self.malformed("\(error)")
        }
        version = try Self.version(of: document)
        let entries = try Self.entries(of: document)
        var packages: [LockedPackage] = []
        for entry in entries { packages.append(try Self.package(entry)) }
        try Self.refuseDuplicates(packages)
        try Self.checkReferences(of: entries, to: packages)
        self.packages = packages
    }

    private static func version(of document: JSONValue) throws(BuildFailure) -> Int {
        guard let value = document["version"] else {
            throw BuildFailure(
                .lockfile,
                "Cargo.lock has format 1 or 2, which does not pin everything; expected 3 or 4: write it anew with a "
                    + "current Cargo (cargo update --workspace)")
        }
        guard let version = value.integerValue, version == 3 || version == 4 else {
            throw BuildFailure(.lockfile, "Cargo.lock has an unknown format version; expected 3 or 4")
        }
        return version
    }

    private static func entries(of document: JSONValue) throws(BuildFailure) -> [[String: JSONValue]] {
        let known: Set<String> = ["version", "package", "patch", "metadata"]
        if let key = document.objectValue?.keys.sorted().first(where: { !known.contains($0) }) {
            throw malformed("the unknown key '\(shown(key))'")
        }
        guard let list = document["package"]?.arrayValue, !list.isEmpty else { throw malformed("no [[package]]") }
        var entries: [[String: JSONValue]] = []
        for element in list {
            guard let entry = element.objectValue else { throw malformed("a package that is not a table") }
            entries.append(entry)
        }
        return entries
    }

    private static func package(_ entry: [String: JSONValue]) throws(BuildFailure) -> LockedPackage {
        guard let name = entry["name"]?.stringValue, isName(name) else { throw malformed("a package without a name") }
        guard let version = entry["version"]?.stringValue, isVersion(version) else {
            throw malformed("'\(name)' has no version")
        }
        let known: Set<String> = ["name", "version", "source", "checksum", "dependencies", "replace"]
        if let key = entry.keys.sorted().first(where: { !known.contains($0) }) {
            throw malformed("'\(name)' has the unknown key '\(shown(key))'")
        }
        return LockedPackage(
            name: name, version: version, source: try source(of: entry, name: name),
            checksum: try optionalString("checksum", of: entry, name: name))
    }

    private static func source(
        of entry: [String: JSONValue], name: String
    ) throws(BuildFailure) -> CargoSource? {
        guard let text = try optionalString("source", of: entry, name: name) else { return nil }
        guard let source = CargoSource(text) else {
            throw malformed("'\(name)' has the unknown source '\(shown(text))'")
        }
        return source
    }

    private static func optionalString(
        _ key: String, of entry: [String: JSONValue], name: String
    ) throws(BuildFailure) -> String? {
        guard let value = entry[key] else { return nil }
        guard let text = value.stringValue, !text.isEmpty else { throw malformed("the \(key) of '\(name)' is no text") }
        return text
    }

    private static func refuseDuplicates(_ packages: [LockedPackage]) throws(BuildFailure) {
        var seen: Set<[String]> = []
        for package in packages {
            guard seen.insert([package.name, package.version, package.packageURL ?? ""]).inserted else {
                throw malformed("'\(package.title)' stands in it twice")
            }
        }
    }

    /// A lockfile that was cut off still parses; its dependencies then name packages that are not there.
    private static func checkReferences(
        of entries: [[String: JSONValue]], to packages: [LockedPackage]
    ) throws(BuildFailure) {
        let names = Set(packages.map(\.name))
        let titles = Set(packages.map { "\($0.name) \($0.version)" })
        for entry in entries {
            guard let value = entry["dependencies"] else { continue }
            guard let references = value.arrayValue else { throw malformed("dependencies that are no array") }
            for reference in references {
                let words = reference.stringValue?.split(separator: " ").map(String.init) ?? []
                let isKnown =
                    words.count == 1
                    ? names.contains(words[0])
                    : words.count <= 3 && words.count > 1 && titles.contains("\(words[0]) \(words[1])")
                guard isKnown else {
                    throw malformed(
                        "'\(shown(entry["name"]?.stringValue ?? ""))' depends on "
                            + "'\(shown(reference.stringValue ?? "?"))', which is not in it")
                }
            }
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            // One by one: to Swift a letter may hold the slash behind it.
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || $0 == "-"
            }
    }

    private static func isVersion(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text != "." && !text.contains("..")
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-+".contains($0)) }
    }

    private static func malformed(_ reason: String) -> BuildFailure {
        BuildFailure(
            .lockfile, "Cargo.lock is malformed: \(reason); write it anew with cargo generate-lockfile")
    }
}
