// SPDX-License-Identifier: Apache-2.0

/// What the body of a submission yields as it arrives.
package enum SubmissionPart: Hashable, Sendable {
    /// A short field, whole. `nonce`, `repo_url`, `repo_ref`, `source_name`; others are ignored.
    case field(String, String)
    /// The archive begins; the name is what its sender calls it, where the form carries one.
    case archiveBegins(name: String?)
    /// More bytes of the archive.
    case archive([UInt8])
}

/// Reads one form of submission piece by piece, in bounded memory.
package protocol SubmissionParser {
    /// Takes more of the body. Throws a ``Refusal`` at the first byte that cannot be right.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, emit: (SubmissionPart) -> Void) throws(Refusal)
    /// The body is over.
    mutating func finish(emit: (SubmissionPart) -> Void) throws(Refusal)
}

/// A body that is the archive and nothing else.
package struct RawSubmission: SubmissionParser {
    private var hasBegun = false

    package init() {}

    package mutating func parse(_ bytes: UnsafeRawBufferPointer, emit: (SubmissionPart) -> Void) throws(Refusal) {
        guard !bytes.isEmpty else { return }
        begin(emit)
        emit(.archive(Array(bytes)))
    }

    package mutating func finish(emit: (SubmissionPart) -> Void) throws(Refusal) { begin(emit) }

    private mutating func begin(_ emit: (SubmissionPart) -> Void) {
        if !hasBegun { emit(.archiveBegins(name: nil)) }
        hasBegun = true
    }
}
