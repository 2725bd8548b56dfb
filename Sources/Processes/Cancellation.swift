// SPDX-License-Identifier: Apache-2.0
internal import CProcess
import Foundation

/// Tells a thread that waits in `poll` that its task was cancelled.
package final class Cancellation: Sendable {
    /// Becomes readable on cancellation.
    package let descriptor: Int32
    private let writer: Int32

    package init() throws(ProcessError) {
        var ends: [Int32] = [-1, -1]
        guard cprocess_pipe(&ends, true) == 0 else {
            throw ProcessError("no pipe could be made: \(String(cString: strerror(errno)))")
        }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    package func cancel() { _ = write(writer, [1], 1) }
}
