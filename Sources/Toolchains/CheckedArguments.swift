// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// The arguments that a project may give to a tool: options that choose what is made, or say more about it, and none
/// that changes what the provenance states of the build.
struct CheckedArguments: Sendable {
    /// What an option's value must be.
    struct Value: Sendable {
        /// For messages: "a number from 1 to 64".
        let expected: String
        let allows: @Sendable (String) -> Bool

        static func number(_ range: ClosedRange<Int>) -> Value {
            Value(expected: "a number from \(range.lowerBound) to \(range.upperBound)") { text in
                guard text.utf8.allSatisfy(isDigit), let number = Int(text) else { return false }
                return range.contains(number) && String(number) == text
            }
        }
    }

    /// Options without a value.
    let flags: [String]
    /// Options with a value, which is the next argument, or stands behind `=`.
    let options: [String: Value]
    /// Options that have a key of their own, and that key.
    let keys: [String: String]

    /// Every option that may stand there, sorted.
    var names: [String] { (flags + options.keys).sorted() }

    /// The arguments of a key, each value as an argument of its own; empty where the key is absent.
    ///
    /// Throws `UnsupportedToolchainError` at the first that is not allowed, naming those that are.
    func read(_ key: String, from table: inout SettingsTable) throws(BuildFailure) -> [String] {
        var rest = (try table.texts(key) ?? [])[...]
        var arguments: [String] = []
        while let argument = rest.popFirst() {
            if flags.contains(argument) {
                arguments.append(argument)
                continue
            }
            let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let value = options[halves[0]] else { throw refusal(of: halves[0], key, table) }
            guard let given = halves.count == 2 ? halves[1] : rest.popFirst(), value.allows(given) else {
                throw table.unsupported(key, "give \(halves[0]) \(value.expected), as its value or the next argument")
            }
            arguments += [halves[0], given]
        }
        return arguments
    }

    private func refusal(of argument: String, _ key: String, _ table: SettingsTable) -> BuildFailure {
        if let own = keys[argument] {
            return table.unsupported(key, "not hold '\(shown(argument))'; use the key '\(own)' instead")
        }
        let allowed = (flags + options.keys.map { "\($0) VALUE" }).sorted().joined(separator: ", ")
        return table.unsupported(key, "hold only the arguments \(allowed); found '\(shown(argument))'")
    }
}

/// Whether a text is 1 to 256 bytes of ASCII letters, digits and `others`, the first of them a letter, a digit or `_`.
/// Such a text is never taken for an option or a path.
package func isPlainName(_ text: some StringProtocol, others: String) -> Bool {
    let isName = text.utf8.allSatisfy { isLetter($0) || isDigit($0) || others.utf8.contains($0) }
    guard isName, text.utf8.count <= 256, let first = text.utf8.first else { return false }
    return isLetter(first) || isDigit(first) || first == UInt8(ascii: "_")
}

private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
