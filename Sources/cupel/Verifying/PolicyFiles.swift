// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Foundation
import Verification

/// Reads policies and lists of images from their files.
enum PolicyFiles {
    /// A policy with all files that it names, relative to its own folder.
    static func policy(_ path: String, present: Int64) throws -> VerificationPolicy {
        try inWords(path) {
            let file = try PolicyFile(parsing: InputFile.read(path))
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            var files: [String: [UInt8]] = [:]
            for name in file.references {
                files[name] = try InputFile.read(URL(fileURLWithPath: name, relativeTo: folder).path)
            }
            return try file.policy(name: path, files: files, present: present)
        }
    }

    /// The certificates of a file, each of which must parse: a CA that is not understood is none that is trusted.
    static func authority(_ path: String) throws -> [[UInt8]] {
        let bytes = try InputFile.read(path)
        do {
            let certificates = try PEM.orDER(bytes, label: "CERTIFICATE")
            for der in certificates { _ = try Certificate(der: der) }
            return certificates
        } catch {
            throw CommandFailure(
                Console.plain("\(path): \(error)"),
                hint: "the CA of a builder's TPMs is the ca.pem of its tpm-ca folder")
        }
    }

    /// The images of signed lists. Besides the keys that are named, those of Cupel's own releases may have signed.
    static func images(_ lists: [String], keys: [String], present: Int64) throws -> [KnownImage] {
        guard !lists.isEmpty else { return [] }
        let trusted = try VerificationKey.cupelReleases + keys.map(key)
        return try lists.flatMap { path in
            try inWords(path) {
                try MeasurementList(signed: InputFile.read(path), keys: trusted, at: present).images
            }
        }
    }

    /// The images of lists that the user names and nobody signed.
    static func ownImages(_ lists: [String], present: Int64) throws -> [KnownImage] {
        try lists.flatMap { path in
            let bytes = try InputFile.read(path)
            if (try? DSSEEnvelope(parsing: bytes)) != nil {
                throw CommandFailure(
                    "\(Console.plain(path)) is a signed list", hint: "--measurements and --measurements-key take it")
            }
            return try inWords(path) {
                let list = try MeasurementList(text: bytes, issued: Clock.nowText)
                try list.checkDates(at: present)
                return list.images
            }
        }
    }

    /// A key itself, or a file that holds one.
    private static func key(_ text: String) throws -> VerificationKey {
        do {
            return try VerificationKey(
                text: VerificationKey.isKeyItself(text) ? Array(text.utf8) : InputFile.read(text))
        } catch let error as MalformedBytes {
            throw CommandFailure("\(Console.plain(text)): \(error)", hint: "a key is PEM, or 64 hexadecimal digits")
        }
    }

    /// Puts the file's name before what is wrong in it.
    static func inWords<Value>(_ path: String, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch let error as PolicyError {
            throw CommandFailure(Console.plain("\(path): \(error)"), hint: "docs/policy.md explains every key")
        }
    }
}
