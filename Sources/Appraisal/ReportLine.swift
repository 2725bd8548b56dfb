// SPDX-License-Identifier: Apache-2.0
public import StrictJSON

/// One line of a report: a check, how it went, and what was compared with what.
public struct ReportLine: Hashable, Sendable {
    /// The step of verification that the check belongs to, 1 to 7; several checks can share one.
    public let step: Int
    /// One or two words.
    public let name: String
    public let status: Status
    /// What was compared with what, one sentence without a full stop.
    public let compared: String

    public enum Status: String, CaseIterable, Sendable {
        case passed
        case failed
        /// Nothing of the kind was asked for, or the platform has none; the line says which.
        case notChecked
        /// It should have been checked and could not be, so nothing is verified.
        case cannotCheck
    }

    public var json: JSONValue {
        [
            "step": .integer(step), "name": .string(name), "status": .string(status.rawValue),
            "compared": .string(compared),
        ]
    }
}
