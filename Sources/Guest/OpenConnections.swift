// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Connections over which answers may still be on their way: what is, is gone when the machine is.
///
/// That a peer has acknowledged everything is not enough. QEMU's user network acknowledges what it has only put into a
/// buffer of its own. It closes its side once whoever asked has read all of it and closed theirs.
public enum OpenConnections {
    /// Returns when no connection of `port` is left that its peer has not closed, or after `patience`.
    public static func wait(port: Int, patience: Duration = .seconds(60)) async {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map { FileManager.default.contents(atPath: $0) ?? Data() }
            guard tables.contains(where: { count(in: String(decoding: $0, as: UTF8.self), port: port) > 0 })
            else { return }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
        }
    }

    /// Connections of `port` that are not over on both sides, as `/proc/net/tcp` and `/proc/net/tcp6` tell (proc(5)).
    package static func count(in table: String, port: Int) -> Int {
        table.split(separator: "\n").dropFirst().count { line in
            let fields = line.split(separator: " ")
            guard fields.count > 3, let local = fields[1].split(separator: ":").last else { return false }
            return Int(local, radix: 16) == port && fields[3] != timeWait && fields[3] != listening
        }
    }

    /// Closed by both: kept only to recognize late packets.
    private static let timeWait = "06"
    private static let listening = "0A"
}
