// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import StrictJSON
import StrictTOML
@testable import Toolchains

extension FuzzTarget {
    /// TOML that comes with a source.
    static let settings = [
        FuzzTarget("toml", { bytes throws(MalformedBytes) in try TOMLDocument.parse(bytes, name: "input") }) {
            bytes, value in
            expectFixedPoint(value)
            let again = try? TOMLDocument.parse(bytes + Array("\n# comment\r\n".utf8), name: "input")
            expect(again == value, "a comment after the end changes the document")
        },
        FuzzTarget("cargo-lock", { bytes throws(MalformedBytes) in try lockfile(bytes) }) { _, lock in
            let places = lock.packages.map { [$0.name, $0.version, $0.packageURL ?? ""] }
            expect(Set(places).count == places.count, "a package stands in it twice")
            expect(lock.version == 3 || lock.version == 4, "an unknown format is accepted")
        },
        FuzzTarget("cupel-toml", { bytes throws(MalformedBytes) in try project(bytes) }) { _, settings in
            let isBelow = settings.directory.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                $0 != "." && $0 != ".."
            }
            expect(isBelow && !settings.directory.hasPrefix("/"), "the folder is not below the top of the source")
            expect(settings.artifacts.count <= Glob.maximumCount, "too many globs")
        },
    ]

    private static func lockfile(_ bytes: [UInt8]) throws(MalformedBytes) -> CargoLockfile {
        do {
            return try CargoLockfile(parsing: bytes)
        } catch {
            throw MalformedBytes(format: "Cargo.lock", offset: 0, reason: error.message)
        }
    }

    private static func project(_ bytes: [UInt8]) throws(MalformedBytes) -> ProjectSettings {
        do {
            return try ProjectSettings(parsing: bytes, toolchains: ["cargo", "nix"])
        } catch {
            throw MalformedBytes(format: "cupel.toml", offset: 0, reason: error.message)
        }
    }
}
