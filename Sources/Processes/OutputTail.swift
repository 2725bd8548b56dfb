// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The last bytes of a program's output, for messages.
package final class OutputTail: Sendable {
    private static let limit = 4096
    private let bytes = Mutex<[UInt8]>([])

    package init() {}

    package func add(_ new: UnsafeRawBufferPointer) {
        bytes.withLock { $0 = Array(($0 + new.suffix(Self.limit)).suffix(Self.limit)) }
    }

    package var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}
