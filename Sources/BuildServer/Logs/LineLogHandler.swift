// SPDX-License-Identifier: Apache-2.0
public import Logging
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Writes each message to standard error, as one line in one write.
public struct LineLogHandler: LogHandler {
    /// Held for a write, so that no line ends up within another.
    private static let standardError = Mutex(())

    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let metrics: Metrics

    /// - Parameter metrics: where lines are counted.
    public init(label: String, format: LogFormat, level: Logger.Level, metrics: Metrics) {
        self.label = label
        self.format = format
        logLevel = level
        self.metrics = metrics
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var facts = metadata
        if let provided = metadataProvider?.get() { facts.merge(provided) { $1 } }
        if let given = event.metadata { facts.merge(given) { $1 } }
        if let error = event.error { facts["error"] = "\(error)" }
        let line = LogLine(
            time: Self.now, level: event.level, label: label, message: "\(event.message)", metadata: facts)
        Self.write(line.bytes(format))
        metrics.logged(event.level)
    }

    /// RFC 3339, UTC, with milliseconds.
    private static var now: String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var seconds = now.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map(twoDigits)
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { twoDigits(Int($0)) }
        let milliseconds = String(now.tv_nsec / 1_000_000 + 1000).dropFirst()
        return "\(date.joined(separator: "-"))T\(time.joined(separator: ":")).\(milliseconds)Z"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// What cannot be written is lost: there is nobody to tell.
    private static func write(_ bytes: [UInt8]) {
        standardError.withLock { _ in
            bytes.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let space = UnsafeRawBufferPointer(rebasing: rest)
                    #if canImport(Darwin)
                        let count = Darwin.write(STDERR_FILENO, space.baseAddress, space.count)
                    #else
                        let count = Glibc.write(STDERR_FILENO, space.baseAddress, space.count)
                    #endif
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }
}
