// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildClient
import BuildServer
import Builder
import Builds
import ByteCoding
import Collateral
import Storage
import StrictJSON

/// Why a command came to nothing: what the user sees, and the exit code.
struct CommandFailure: Error {
    /// One sentence, lower case, no full stop.
    let message: String
    /// What to do about it.
    let hint: String?
    let status: Int32

    init(_ message: String, hint: String? = nil, status: Int32 = 2) {
        self.message = message
        self.hint = hint
        self.status = status
    }

    /// Any error, in the user's words.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let failure as BuildFailure: self.init(failure)
        case let error as BuildClientError: self.init(error)
        case let error as CollateralError: self.init(error)
        case let error as BuilderError: self.init(error.message, hint: error.hint)
        case let error as ConfigurationError: self.init(error.message, hint: error.hint)
        case let error as StorageError: self.init(error.message)
        case let error as InvalidRequest: self.init(error.message)
        case let error as MalformedBytes: self.init("\(error)")
        case is CancellationError: self.init("interrupted", status: 130)
        case _ where Cupel.exitCode(for: error) == .validationFailure: self.init(usage: error)
        default: self.init("\(error)")
        }
    }

    private init(_ failure: BuildFailure) {
        let status: Int32 = failure.kind == .cancelled ? 130 : failure.kind == .internal ? 2 : 1
        self.init(failure.message, status: status)
    }

    private init(_ error: BuildClientError) {
        switch error.code {
        case .cancelled: self.init("interrupted", status: 130)
        case .unreachable: self.init(error.message, hint: "is the server running, and is its address right?")
        case .busy: self.init(error.message, hint: "try again later")
        default: self.init(error.message)
        }
    }

    private init(_ error: CollateralError) {
        let message = Console.plain(error.message)
        switch error.code {
        case .cancelled: self.init("interrupted", status: 130)
        case .offline:
            self.init(
                message,
                hint: "run 'cupel collateral fetch' where there is a network, and name its folder with --collateral")
        case .unreachable, .busy:
            self.init(message, hint: "try again later, or name a folder that has it with --collateral")
        case .unavailable: self.init(message, hint: "name a file that has it with --collateral")
        default: self.init(message)
        }
    }

    private init(usage error: any Error) {
        let text = Cupel.message(for: error)
        let first = text.split(separator: "\n").first.map(String.init) ?? "\(error)"
        let sentence = first.hasSuffix(".") ? String(first.dropLast()) : first
        self.init(
            sentence.prefix(1).lowercased() + sentence.dropFirst(),
            hint: "'cupel help' and 'cupel help COMMAND' say more")
    }

    func show(asJSON: Bool) {
        Console.note("\(Console.red("cupel: error:")) \(message)")
        if let hint { Console.note("cupel: hint: \(hint)") }
        guard asJSON else { return }
        var json: [String: JSONValue] = [
            "type": "error", "error": .string(message), "exitCode": .integer(Int(status)),
        ]
        if let hint { json["hint"] = .string(hint) }
        Console.print(.object(json))
    }
}
