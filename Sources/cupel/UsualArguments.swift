// SPDX-License-Identifier: Apache-2.0

/// Arguments sorted into flags, options with a value, and others, without ArgumentParser, which looks at every option
/// several times through the runtime's search of all conformances in the program.
struct UsualArguments {
    /// The names that a command takes.
    struct Names {
        let flags: Set<String>
        let single: Set<String>
        let repeated: Set<String>
    }

    private var found: Set<String> = []
    private var values: [String: [String]] = [:]
    private(set) var others: [String] = []

    /// `nil` for other names, a value that is missing or begins with a dash, and what stands twice that may not.
    init?(_ arguments: [String], names: Names) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if !argument.hasPrefix("-") {
                others.append(argument)
            } else if names.flags.contains(argument) {
                guard found.insert(argument).inserted else { return nil }
            } else {
                guard names.single.contains(argument) && values[argument] == nil || names.repeated.contains(argument),
                    let value = rest.popFirst(), !value.hasPrefix("-")
                else { return nil }
                values[argument, default: []].append(value)
            }
        }
    }

    subscript(option: String) -> String? { values[option]?.first }
    func all(_ option: String) -> [String] { values[option] ?? [] }
    func has(_ flag: String) -> Bool { found.contains(flag) }
}
