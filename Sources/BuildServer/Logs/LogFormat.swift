// SPDX-License-Identifier: Apache-2.0
public import Logging

/// How a line of the log looks.
public enum LogFormat: String, CaseIterable, Sendable {
    /// For people: time, level, source, message, then facts as `key=value`.
    case text
    /// For programs: one JSON object.
    case json
}

extension Configuration {
    /// ``logFormat`` as a value.
    public var chosenLogFormat: LogFormat { LogFormat(rawValue: logFormat) ?? .text }
    /// ``logLevel`` as a value.
    public var chosenLogLevel: Logger.Level { Logger.Level(rawValue: logLevel) ?? .info }
}
