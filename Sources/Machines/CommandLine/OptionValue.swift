// SPDX-License-Identifier: Apache-2.0

/// The value of one of QEMU's options: words and `name=value` pairs between commas. A comma within a value is doubled
/// (QEMU, "Invocation": options parameters as arbitrary strings containing commas).
struct OptionValue {
    private var parts: [String]

    /// The first word: "virtio-blk-pci".
    init(_ first: String) { parts = [first] }

    /// Adds a pair.
    func with(_ name: String, _ value: some CustomStringConvertible) -> OptionValue {
        var copy = self
        copy.parts.append("\(name)=\(Self.escaped(value.description))")
        return copy
    }

    /// Adds the pairs of a list.
    func with(_ pairs: [(String, String)]) -> OptionValue {
        pairs.reduce(self) { $0.with($1.0, $1.1) }
    }

    var text: String { parts.joined(separator: ",") }

    static func escaped(_ value: String) -> String {
        value.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}
