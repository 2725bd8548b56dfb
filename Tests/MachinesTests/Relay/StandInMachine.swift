// SPDX-License-Identifier: Apache-2.0
import Machines
import Synchronization

/// A machine without hardware: an address at which a test's own agent answers, and an end that the test decides.
final class StandInMachine: BuildMachine {
    private struct State {
        var gone: MachineError?
        var lines: [String] = []
        var wakers: [CheckedContinuation<Void, Never>] = []
        var cuts = 0
        var ends = 0
    }

    let name = "machine-stand-in"
    let address: String
    private let state = Mutex(State())
    private let cutting: @Sendable () throws(MachineError) -> Void

    init(address: String, cutting: @escaping @Sendable () throws(MachineError) -> Void = {}) {
        self.address = address
        self.cutting = cutting
    }

    /// How often its network was cut.
    var cuts: Int { state.withLock { $0.cuts } }
    /// How often it was ended.
    var ends: Int { state.withLock { $0.ends } }

    /// The console says a line.
    func print(_ line: String) { change { $0.lines.append(line) } }

    /// It ends by itself.
    func crash(_ message: String = "the machine ended by itself with status 1; its console said last: Kernel panic") {
        change { $0.gone = $0.gone ?? MachineError(.ended, message) }
    }

    func nextConsoleLine() async -> String? {
        while true {
            let line: String?? = state.withLock { state in
                if !state.lines.isEmpty { return .some(state.lines.removeFirst()) }
                return state.gone == nil ? nil : .some(nil)
            }
            if let line { return line }
            await wait { $0.gone == nil && $0.lines.isEmpty }
        }
    }

    func ended() async -> MachineError {
        while true {
            if let gone = state.withLock({ $0.gone }) { return gone }
            await wait { $0.gone == nil }
        }
    }

    func cutNetwork() async throws(MachineError) {
        state.withLock { $0.cuts += 1 }
        try cutting()
    }

    func end() async {
        change {
            $0.ends += 1
            $0.gone = $0.gone ?? MachineError(.ended, "the machine was ended")
        }
    }

    private func change(_ change: (inout State) -> Void) {
        let wakers = state.withLock { state in
            change(&state)
            defer { state.wakers = [] }
            return state.wakers
        }
        for waker in wakers { waker.resume() }
    }

    /// Returns after the next change; at once where there is no need to wait.
    private func wait(while isNeeded: @Sendable (State) -> Bool) async {
        await withCheckedContinuation { waker in
            let isDue = state.withLock { state in
                guard isNeeded(state) else { return true }
                state.wakers.append(waker)
                return false
            }
            if isDue { waker.resume() }
        }
    }
}
