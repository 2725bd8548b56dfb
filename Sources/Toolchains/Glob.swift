// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding

/// A pattern over the names of artifacts, which are paths: `*` is any characters of one part, `?` one of them, `[a-z]`
/// and `[!a-z]` one of a set and one outside of it, none of them a slash; `**` as a whole part is any number of parts,
/// and at the end at least one. Anything else is itself, and upper and lower case differ.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// Globs of one file.
    static let maximumCount = 64
    /// Bytes.
    static let maximumLength = 256

    public let text: String
    private let parts: [Part]

    /// What stands between two slashes.
    private enum Part: Hashable {
        /// `**`
        case folders
        case name([Token])
    }

    enum Token: Hashable {
        case letter(Unicode.Scalar)
        /// `?`
        case any
        /// `*`
        case run
        case set([ClosedRange<Unicode.Scalar>], inverted: Bool)

        func matches(_ letter: Unicode.Scalar) -> Bool {
            switch self {
            case .letter(let own): own == letter
            case .any, .run: true
            case .set(let ranges, let inverted): ranges.contains { $0.contains(letter) } != inverted
            }
        }
    }

    /// Throws `SourceError` naming what is wrong with the pattern.
    package init(_ text: String) throws(BuildFailure) {
        self.text = text
        guard text.utf8.count <= Self.maximumLength else {
            throw Self.malformed(text, "is longer than \(Self.maximumLength) bytes")
        }
        var parts: [Part] = []
        for part in PathParts.all(text) {
            guard !part.isEmpty, part != ".", part != ".." else {
                throw Self.malformed(
                    text, "must be a path without '.', '..', a slash at its ends or two in a row, as 'bin/*' is")
            }
            parts.append(part == "**" ? .folders : .name(try GlobReader.tokens(of: part, in: text)))
        }
        if parts.last == .folders { parts.append(.name([.run])) }
        self.parts = parts
    }

    public var description: String { text }

    static func malformed(_ text: String, _ reason: String) -> BuildFailure {
        BuildFailure(
            .source, "\(ProjectSettings.fileName): 'artifacts' has the glob '\(shown(text))', which \(reason)")
    }

    /// Whether the pattern fits the whole name.
    package func matches(_ name: String) throws(BuildFailure) -> Bool {
        try matches(ArtifactName(name), GlobBudget())
    }

    fileprivate func matches(_ name: ArtifactName, _ budget: GlobBudget) throws(BuildFailure) -> Bool {
        try wildcardMatch(parts, name.parts, budget, isRun: { $0 == .folders }) {
            (part, letters) throws(BuildFailure) in
            guard case .name(let tokens) = part else { return false }
            return try wildcardMatch(tokens, letters, budget, isRun: { $0 == .run }) { $0.matches($1) }
        }
    }
}

extension [Glob] {
    /// The names that one of the globs fits; all of them where there is no glob.
    ///
    /// Throws `ArtifactError` naming a glob that fits none; `ResourceLimitError` where globs and names are so long that
    /// comparing them takes too many steps.
    public func select(_ names: [String]) throws(BuildFailure) -> Set<String> {
        guard !isEmpty else { return Set(names) }
        let split = names.map { ArtifactName($0) }
        let budget = GlobBudget()
        var selected: Set<String> = []
        for glob in self {
            var fits = false
            for (name, parts) in zip(names, split) where try glob.matches(parts, budget) {
                selected.insert(name)
                fits = true
            }
            guard fits else {
                let made = names.prefix(5).map { "'\(shown($0))'" }.joined(separator: ", ")
                throw BuildFailure(
                    .artifact,
                    "the glob '\(shown(glob.text))' of \(ProjectSettings.fileName) fits no artifact; the build made "
                        + "\(made.isEmpty ? "none" : made)\(names.count > 5 ? " and \(names.count - 5) more" : "")")
            }
        }
        return selected
    }
}

/// A name, split at its slashes.
private struct ArtifactName {
    let parts: [[Unicode.Scalar]]

    init(_ name: String) {
        parts = PathParts.all(name).map { Array($0.unicodeScalars) }
    }
}

/// Steps of comparing that are left. A project chooses both globs and names, so they end.
private final class GlobBudget {
    private var left = 1 << 28

    func spend() throws(BuildFailure) {
        left -= 1
        guard left > 0 else {
            throw BuildFailure(
                .resourceLimit,
                "comparing the artifacts with the globs of \(ProjectSettings.fileName) takes too long; use fewer stars "
                    + "or fewer globs")
        }
    }
}

/// Whether the pattern fits all elements, where a run stands for any number of them. Goes back to the last run only,
/// which is enough: takes at most the product of both lengths in steps.
private func wildcardMatch<Item, Element>(
    _ pattern: [Item], _ elements: [Element], _ budget: GlobBudget, isRun: (Item) -> Bool,
    matches: (Item, Element) throws(BuildFailure) -> Bool
) throws(BuildFailure) -> Bool {
    var (item, element) = (0, 0)
    var lastRun: (item: Int, element: Int)?
    while element < elements.count {
        try budget.spend()
        if item < pattern.count, isRun(pattern[item]) {
            item += 1
            lastRun = (item, element)
        } else if item < pattern.count, try matches(pattern[item], elements[element]) {
            (item, element) = (item + 1, element + 1)
        } else if let run = lastRun {
            (item, element) = (run.item, run.element + 1)
            lastRun = (item, element)
        } else {
            return false
        }
    }
    return pattern[item...].allSatisfy(isRun)
}
