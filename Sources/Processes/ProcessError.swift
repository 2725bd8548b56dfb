// SPDX-License-Identifier: Apache-2.0

/// Why a process could not be started, or not as it was wanted.
package struct ProcessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence without a full stop.
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
