// SPDX-License-Identifier: Apache-2.0

/// What was to be kept on disk could not be.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// Another server uses the data folder.
        case inUse
        /// Written by a newer release.
        case newerVersion
        /// What is on disk is not what was written.
        case corrupt
        /// The disk is full, or the file system refuses.
        case inputOutput
        /// No such job.
        case unknownJob
        /// What is kept of one job is not what was written. It was set aside; other jobs are not concerned.
        case damaged
        /// The job has not ended.
        case unfinished
    }

    public let code: Code
    /// One sentence: what was tried, what happened, what to do.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
