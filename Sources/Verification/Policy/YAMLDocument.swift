// SPDX-License-Identifier: Apache-2.0
internal import StrictJSON
internal import Yams

/// One YAML document, read as narrowly as JSON: what any two readers of YAML could disagree about is refused.
///
/// Refused: more than one document, directives, anchors, aliases, tags, merge keys, keys that stand twice in one
/// mapping, keys that are no plain names, keys without a value, characters that only some readers take for line
/// breaks, nesting and sizes beyond the limits, and plain words that YAML 1.1 or 1.2 reads as something else than they
/// look (see ``PlainScalar``).
struct YAMLDocument {
    let value: JSONValue
    /// The line, from 1, on which the value of a key begins, by the key's path: "snp.maximumVMPL", "images[0].name".
    let lines: [String: Int]

    /// Bytes; a larger file is refused.
    static let maximumSize = 1 << 20
    /// Mappings and lists within each other.
    static let maximumDepth = 12

    init(parsing bytes: [UInt8]) throws(PolicyError) {
        guard bytes.count <= Self.maximumSize else {
            throw PolicyError("the file has \(bytes.count) bytes, at most \(Self.maximumSize) are read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw PolicyError("the file is not UTF-8") }
        let source = try YAMLSource(text)
        let parser: Parser
        let root: Node?
        do {
            // Named, since the default is taken from the environment.
            parser = try Parser(yaml: text, encoding: .utf8)
            root = try parser.singleRoot()
        } catch {
            throw Self.refusal(error)
        }
        guard let root else { throw PolicyError("the file is empty") }
        var reader = NodeReader(source: source)
        value = try reader.read(root, at: "", depth: 0)
        lines = reader.lines
    }

    private static func refusal(_ error: any Error) -> PolicyError {
        guard let error = error as? YamlError else { return PolicyError("not YAML: \(error)") }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return PolicyError(line: mark.line, "not YAML that is read here: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { "'\($0)'" }.joined(separator: ", ")
            return PolicyError(line: context.mark.line, "the key \(names) stands twice")
        case .reader(let problem, _, _, _): return PolicyError("not YAML that is read here: \(problem)")
        default: return PolicyError("not YAML that is read here")
        }
    }
}

/// The text, by line: what a node begins with shows whether it has a tag, an anchor or an alias, which the parser does
/// not tell reliably.
private struct YAMLSource {
    private let lines: [[Unicode.Scalar]]

    init(_ text: String) throws(PolicyError) {
        var lines: [[Unicode.Scalar]] = [[]]
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if previous == "\r", scalar != "\n" { throw Self.badCharacter(lines.count, "a carriage return alone") }
            previous = scalar
            switch scalar {
            case "\n": lines.append([])
            case "\r", "\t": lines[lines.count - 1].append(scalar)
            default:
                guard TextStyle.isHarmless(scalar) else {
                    throw Self.badCharacter(lines.count, "the character U+\(String(scalar.value, radix: 16))")
                }
                lines[lines.count - 1].append(scalar)
            }
        }
        if previous == "\r" { throw Self.badCharacter(lines.count, "a carriage return alone") }
        if let index = lines.firstIndex(where: { $0.first == "%" }) {
            throw PolicyError(line: index + 1, "a line that begins with '%': directives are refused")
        }
        self.lines = lines
    }

    func scalar(at mark: Mark) -> Unicode.Scalar? {
        guard lines.indices.contains(mark.line - 1) else { return nil }
        let line = lines[mark.line - 1]
        return line.indices.contains(mark.column - 1) ? line[mark.column - 1] : nil
    }

    private static func badCharacter(_ line: Int, _ what: String) -> PolicyError {
        PolicyError(line: line, "\(what) is refused: it can hide what a file says")
    }
}

private struct NodeReader {
    let source: YAMLSource
    private(set) var lines: [String: Int] = [:]

    init(source: YAMLSource) { self.source = source }

    mutating func read(_ node: Node, at path: String, depth: Int) throws(PolicyError) -> JSONValue {
        let line = node.mark?.line
        lines[path] = line
        guard depth <= YAMLDocument.maximumDepth else {
            throw PolicyError(line: line, key: path, "nested deeper than \(YAMLDocument.maximumDepth) levels")
        }
        try refuseProperties(of: node, at: path)
        switch node {
        case .scalar(let scalar): return try value(of: scalar, at: path)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for (index, element) in sequence.enumerated() {
                elements.append(try read(element, at: "\(path)[\(index)]", depth: depth + 1))
            }
            return .array(elements)
        case .mapping(let mapping): return try object(mapping, at: path, depth: depth)
        case .alias: throw PolicyError(line: line, key: path, "an alias is refused")
        }
    }

    private mutating func object(
        _ mapping: Node.Mapping, at path: String, depth: Int
    ) throws(PolicyError) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for (keyNode, valueNode) in mapping {
            try refuseProperties(of: keyNode, at: path)
            guard let scalar = keyNode.scalar, case .string(let key) = try value(of: scalar, at: path), !key.isEmpty
            else { throw PolicyError(line: keyNode.mark?.line, key: path, "a key must be a name") }
            let place = path.isEmpty ? key : "\(path).\(key)"
            guard members.updateValue(try read(valueNode, at: place, depth: depth + 1), forKey: key) == nil else {
                throw PolicyError(line: keyNode.mark?.line, key: path, "the key '\(key)' stands twice")
            }
        }
        return .object(members)
    }

    private func value(of scalar: Node.Scalar, at path: String) throws(PolicyError) -> JSONValue {
        guard scalar.style == .plain else { return .string(scalar.string) }
        do {
            return try PlainScalar.value(of: scalar.string)
        } catch {
            throw PolicyError(line: scalar.mark?.line, key: path, error.reason)
        }
    }

    /// Where a node has a tag or an anchor, it begins with its mark.
    private func refuseProperties(of node: Node, at path: String) throws(PolicyError) {
        guard let mark = node.mark else { return }
        let name: String? =
            switch source.scalar(at: mark) {
            case "!": "a tag"
            case "&": "an anchor"
            case "*": "an alias"
            default: nil
            }
        if let name { throw PolicyError(line: mark.line, key: path, "\(name) is refused") }
    }
}
