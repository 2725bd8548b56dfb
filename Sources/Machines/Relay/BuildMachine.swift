// SPDX-License-Identifier: Apache-2.0

/// A machine that one build can have, as the relay needs it: where its agent answers, what it says, and its end.
///
/// Whoever has it calls ``end()`` when it is done, however it came to that.
public protocol BuildMachine: Sendable {
    /// The machine's own name, for logs.
    var name: String { get }

    /// Where its agent speaks the build API: `http://127.0.0.1:PORT`.
    var address: String { get }

    /// What its console says from now on, line by line; `nil` at the end of it. One caller at a time.
    func nextConsoleLine() async -> String?

    /// Returns when the machine is gone, by itself or by ``end()``: why, with the console's last lines.
    func ended() async -> MachineError

    /// Takes the machine's own network away, for good; the agent still answers. A machine without one has none to lose.
    func cutNetwork() async throws(MachineError)

    /// Ends it, and returns when nothing of it is left. Can be called more than once.
    func end() async
}
