// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What peers have not taken yet of the answers that were sent to them: it is gone when the machine is.
public enum UnsentBytes {
    /// Returns when the peers of `port` have acknowledged everything, or after `patience`.
    public static func wait(port: Int, patience: Duration = .seconds(60)) async {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            let table = FileManager.default.contents(atPath: "/proc/net/tcp") ?? Data()
            guard count(in: String(decoding: table, as: UTF8.self), port: port) > 0 else { return }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
        }
    }

    /// Bytes that connections of `port` have sent and that are not acknowledged, as `/proc/net/tcp` tells (proc(5)).
    package static func count(in table: String, port: Int) -> Int {
        table.split(separator: "\n").dropFirst().reduce(0) { sum, line in
            let fields = line.split(separator: " ")
            guard fields.count > 4, let local = fields[1].split(separator: ":").last, Int(local, radix: 16) == port,
                fields[3] != listening, let queue = fields[4].split(separator: ":").first
            else { return sum }
            return sum + (Int(queue, radix: 16) ?? 0)
        }
    }

    private static let listening = "0A"
}
