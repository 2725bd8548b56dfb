// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// The text of a `.drv` file, taken apart: `Derive(` outputs, derivations, sources, system, builder, arguments,
/// environment `)`. Only the one way in which Nix writes it is read: nothing but what is escaped is escaped, and lists
/// that have an order have it, so that the same text comes out of it again.
struct DerivationText {
    struct Output {
        let name: String
        let path: String
        let algorithm: String
        let hash: String
    }

    /// Elements of one list.
    static let maximumCount = 1 << 16

    let outputs: [Output]
    let inputDerivations: [NixDerivation.InputDerivation]
    let inputSources: [NixStorePath]
    let system: String
    let builder: String
    let arguments: [String]
    let environment: [String: String]

    /// - Parameter directory: the store that all paths must be in.
    init(parsing bytes: [UInt8], directory: String) throws(MalformedBytes) {
        var reader = DerivationReader(bytes)
        guard bytes.count <= NixDerivation.maximumSize else {
            throw reader.malformed("more than \(NixDerivation.maximumSize) bytes")
        }
        guard !bytes.starts(with: "DrvWithVersion".utf8) else {
            throw reader.malformed("a derivation of a format that is experimental in Nix")
        }
        try reader.expect("Derive(")
        outputs = try Self.outputs(&reader)
        try reader.expect(",")
        inputDerivations = try Self.inputDerivations(&reader, directory)
        try reader.expect(",")
        inputSources = try Self.inputSources(&reader, directory)
        try reader.expect(",")
        system = try reader.text("the system")
        try reader.expect(",")
        builder = try reader.text("the builder")
        try reader.expect(",")
        var arguments: [String] = []
        try reader.list { reader throws(MalformedBytes) in
            arguments.append(String(decoding: try reader.string(), as: UTF8.self))
        }
        self.arguments = arguments
        try reader.expect(",")
        environment = try Self.environment(&reader)
        try reader.expect(")")
        try reader.end()
    }

    private static func outputs(_ reader: inout DerivationReader) throws(MalformedBytes) -> [Output] {
        var outputs: [Output] = []
        var order = AscendingNames()
        try reader.list { reader throws(MalformedBytes) in
            try reader.expect("(")
            let name = try reader.text("an output's name")
            guard NixStorePath.isName(name) else { throw reader.malformed("an output with a name that Nix forbids") }
            try order.take(name, reader)
            var fields: [String] = []
            for field in ["path", "hash algorithm", "hash"] {
                try reader.expect(",")
                fields.append(try reader.text("an output's \(field)"))
            }
            try reader.expect(")")
            outputs.append(Output(name: name, path: fields[0], algorithm: fields[1], hash: fields[2]))
        }
        return outputs
    }

    private static func inputDerivations(
        _ reader: inout DerivationReader, _ directory: String
    ) throws(MalformedBytes) -> [NixDerivation.InputDerivation] {
        var inputs: [NixDerivation.InputDerivation] = []
        var order = AscendingNames()
        try reader.list { reader throws(MalformedBytes) in
            try reader.expect("(")
            let path = try NixStorePath(try reader.text("an input's path"), directory: directory)
            guard path.isDerivation else { throw reader.malformed("an input '\(path.name)' that is no derivation") }
            try order.take(path.baseName, reader)
            try reader.expect(",")
            var outputs: [String] = []
            var names = AscendingNames()
            try reader.list { reader throws(MalformedBytes) in
                let name = try reader.text("an input's output")
                try names.take(name, reader)
                outputs.append(name)
            }
            guard !outputs.isEmpty else { throw reader.malformed("an input without outputs") }
            try reader.expect(")")
            inputs.append(NixDerivation.InputDerivation(path: path, outputs: outputs))
        }
        return inputs
    }

    private static func inputSources(
        _ reader: inout DerivationReader, _ directory: String
    ) throws(MalformedBytes) -> [NixStorePath] {
        var sources: [NixStorePath] = []
        var order = AscendingNames()
        try reader.list { reader throws(MalformedBytes) in
            let path = try NixStorePath(try reader.text("a source's path"), directory: directory)
            try order.take(path.baseName, reader)
            sources.append(path)
        }
        return sources
    }

    private static func environment(_ reader: inout DerivationReader) throws(MalformedBytes) -> [String: String] {
        var environment: [String: String] = [:]
        var order = AscendingNames()
        try reader.list { reader throws(MalformedBytes) in
            try reader.expect("(")
            let name = try reader.text("a variable's name")
            guard name.hasBoundedMarks else {
                throw reader.malformed("a variable's name of endless combining characters")
            }
            try order.take(name, reader)
            try reader.expect(",")
            environment[name] = String(decoding: try reader.string(), as: UTF8.self)
            try reader.expect(")")
        }
        return environment
    }
}

/// Names that must come in the order of their bytes, each once.
private struct AscendingNames {
    private var last: String?

    mutating func take(_ name: String, _ reader: DerivationReader) throws(MalformedBytes) {
        if let last, !last.utf8.lexicographicallyPrecedes(name.utf8) {
            throw reader.malformed("'\(shown(name))' after '\(shown(last))', expected each once and in order")
        }
        last = name
    }
}
