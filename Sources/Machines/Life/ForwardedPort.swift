// SPDX-License-Identifier: Apache-2.0

/// Reads QEMU's table of connections (`info usernet`), which is the only place that says which port of this host the
/// system chose.
package enum ForwardedPort {
    /// The host's port that leads to `agent` ("10.0.2.15:8080"): the line
    /// `TCP[HOST_FORWARD]  12  127.0.0.1 43829  10.0.2.15  8080  0  0`.
    package static func find(in table: String, to agent: String) -> Int? {
        for line in table.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count >= 6, fields[0] == "TCP[HOST_FORWARD]", fields[2] == "127.0.0.1",
                "\(fields[4]):\(fields[5])" == agent, let port = Int(fields[3]), (1...65535).contains(port)
            else { continue }
            return port
        }
        return nil
    }
}
