// SPDX-License-Identifier: Apache-2.0
internal import StrictJSON

/// What a key of a TOML document that is being read stands for.
enum TOMLNode {
    /// Nothing can be added to it: inline tables and lists are such too.
    case value(JSONValue)
    case table(TOMLTable)
    case tables(TOMLTables)
}

/// The tables of `[[name]]`, in their order.
final class TOMLTables {
    var tables: [TOMLTable]

    init(_ first: TOMLTable) { tables = [first] }
}

/// A table that a header or a dotted key made.
final class TOMLTable {
    /// How it came to be, which decides what may still be done to it.
    enum Origin {
        /// On the way of a header to another table: a header of its own may follow.
        case implicit
        case header
        /// On the way of a dotted key to its value.
        case dotted
    }

    var origin: Origin
    var members: [String: TOMLNode] = [:]
    /// How deep it lies: 0 for the document.
    let depth: Int

    init(_ origin: Origin, depth: Int) {
        self.origin = origin
        self.depth = depth
    }

    var json: JSONValue {
        .object(
            members.mapValues { node in
                switch node {
                case .value(let value): value
                case .table(let table): table.json
                case .tables(let list): .array(list.tables.map(\.json))
                }
            })
    }
}
