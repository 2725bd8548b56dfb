// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Synchronization

/// Inputs that were decoded: with none, no property was looked at.
let accepted = Atomic(0)

/// A decoder, and what must hold for any input.
struct FuzzTarget: Sendable {
    let name: String
    let feed: @Sendable ([UInt8]) -> Void

    /// Feeds an input to a decoder; refusals are what most inputs deserve, and `holds` looks at what was accepted.
    init<Value>(
        _ name: String, _ decode: @escaping @Sendable ([UInt8]) throws(MalformedBytes) -> Value,
        holds: @escaping @Sendable ([UInt8], Value) -> Void
    ) {
        self.name = name
        feed = { bytes in
            guard let value = try? decode(bytes) else { return }
            accepted.add(1, ordering: .relaxed)
            holds(bytes, value)
        }
    }

    static let all: [FuzzTarget] =
        codings + provenance + evidence + certificates + policies + verdicts + nix + settings + measurements
}

/// Ends the process with a sentence where a property does not hold; libFuzzer then keeps the input.
func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) {
    guard !holds else { return }
    FileHandle.standardError.write(Data("property violated: \(sentence())\n".utf8))
    abort()
}

/// A format whose end is fixed by its own lengths must refuse one byte more and one byte less.
func expectExactLength<Value>(_ bytes: [UInt8], _ decode: ([UInt8]) throws(MalformedBytes) -> Value) {
    expect((try? decode(bytes + [0])) == nil, "a zero after the end is accepted")
    expect((try? decode(bytes + [0xA5])) == nil, "a byte after the end is accepted")
    expect((try? decode(Array(bytes.dropLast()))) == nil, "the same without its last byte is accepted")
}
