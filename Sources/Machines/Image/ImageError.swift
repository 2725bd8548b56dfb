// SPDX-License-Identifier: Apache-2.0

/// Why no image was made.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// This machine lacks a right or a program that it takes.
        case host
        /// A file could not be read or written.
        case file
        /// The list of packages is not one.
        case list
        /// A package's archive is missing, or is another than the list names.
        case package
        /// What the image is to hold does not fit: the guest's program, the kernel.
        case content
        /// A program that makes a part of the image failed.
        case program
        /// The task was cancelled.
        case cancelled
    }

    public let code: Code
    /// One sentence: what was expected and what was found.
    public let message: String
    /// What to do about it.
    public let hint: String?

    public init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var description: String { message }
}
