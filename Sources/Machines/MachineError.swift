// SPDX-License-Identifier: Apache-2.0

/// Why there is no machine to build in, or no longer.
public struct MachineError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The image's folder, a firmware or a program is missing or not what it should be.
        public static let unusable = Self(rawValue: "unusable")
        /// It could not be started.
        public static let start = Self(rawValue: "start")
        /// It did not answer before its deadline.
        public static let deadline = Self(rawValue: "deadline")
        /// It ended by itself, or was ended by somebody else.
        public static let ended = Self(rawValue: "ended")
        /// The task that wanted it was cancelled.
        public static let cancelled = Self(rawValue: "cancelled")
    }

    public let code: Code
    /// One sentence: what was expected, what was found, what to do; with the console's last lines where there are any.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
