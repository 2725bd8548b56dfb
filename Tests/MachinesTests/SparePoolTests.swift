// SPDX-License-Identifier: Apache-2.0
import Logging
import Machines
import Synchronization
import Testing

/// A machine that is a name and an end.
private final class Played: PooledMachine {
    let name: String
    private let fate = OneTimeValue<MachineError>()

    init(_ name: String) { self.name = name }

    func ended() async -> MachineError { await fate.value() }
    func end() async { fate.set(MachineError(.ended, "ended")) }
    func die() { fate.set(MachineError(.ended, "died")) }
}

/// Where machines are booted, as the test says.
private final class Yard: Sendable {
    private struct State {
        var booted = 0
        var failures = 0
        var pauses: [Duration] = []
        var now = ContinuousClock.now
        var gate: OneTimeValue<Void>?
    }

    private let state = Mutex(State())
    let begun = AsyncStream<String>.makeStream()

    var booted: Int { state.withLock { $0.booted } }
    var pauses: [Duration] { state.withLock { $0.pauses } }
    func fail(_ times: Int) { state.withLock { $0.failures = times } }
    func pass(_ time: Duration) { state.withLock { $0.now += time } }
    /// Boots wait until it is set.
    func hold() -> OneTimeValue<Void> {
        let gate = OneTimeValue<Void>()
        state.withLock { $0.gate = gate }
        return gate
    }

    func pool(spare: Int) -> SparePool<Played> {
        SparePool(
            spare: spare, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            pause: { time in self.state.withLock { $0.pauses.append(time) } }, now: { self.state.withLock { $0.now } }
        ) { (_) async throws(MachineError) in try await self.boot() }
    }

    private func boot() async throws(MachineError) -> Played {
        begun.continuation.yield("")
        let (name, gate, fails) = state.withLock { state in
            state.booted += 1
            let fails = state.failures > 0
            if fails { state.failures -= 1 }
            return ("machine \(state.booted)", state.gate, fails)
        }
        await gate?.value()
        guard !Task.isCancelled else { throw MachineError(.cancelled, "cancelled") }
        guard !fails else { throw MachineError(.deadline, "failed") }
        return Played(name)
    }
}

@Suite("Spare machines", .timeLimit(.minutes(10))) struct SparePoolTests {
    @Test("as many as wanted are booted, one is taken at once, and replaced")
    func spares() async throws {
        let yard = Yard()
        let pool = yard.pool(spare: 2)
        await pool.refill()
        await pool.refilled()
        #expect(yard.booted == 2)
        #expect(try await pool.take { _ in }.name == "machine 1")
        await pool.refilled()
        #expect(yard.booted == 3)
        #expect(yard.pauses == [])
        await pool.shutDown()
    }

    @Test("without spares each machine is booted when it is wanted")
    func none() async throws {
        let yard = Yard()
        let pool = yard.pool(spare: 0)
        await pool.refill()
        await pool.refilled()
        #expect(yard.booted == 0)
        #expect(try await pool.take { _ in }.name == "machine 1")
        #expect(yard.booted == 1)
    }

    @Test("who comes while a spare boots gets that one")
    func waits() async throws {
        let yard = Yard()
        let gate = yard.hold()
        let pool = yard.pool(spare: 1)
        await pool.refill()
        for await _ in yard.begun.stream { break }
        let said = AsyncStream<String>.makeStream()
        let taking = Task { () throws(MachineError) in try await pool.take { said.continuation.yield($0) } }
        for await words in said.stream {
            #expect(words.contains("booting already"))
            break
        }
        gate.set(())
        #expect(try await taking.value.name == "machine 1")
        await pool.refilled()
        #expect(yard.booted == 2)
    }

    @Test("who waits for a spare that fails gets one of his own")
    func spareFails() async throws {
        let yard = Yard()
        let gate = yard.hold()
        yard.fail(1)
        let pool = yard.pool(spare: 1)
        await pool.refill()
        for await _ in yard.begun.stream { break }
        let said = AsyncStream<String>.makeStream()
        let taking = Task { () throws(MachineError) in try await pool.take { said.continuation.yield($0) } }
        for await _ in said.stream { break }
        gate.set(())
        #expect(try await taking.value.name == "machine 2")
    }

    @Test("spares that fail are tried again after growing pauses")
    func pauses() async throws {
        let yard = Yard()
        yard.fail(4)
        let pool = yard.pool(spare: 1)
        await pool.refill()
        await pool.refilled()
        #expect(yard.booted == 5)
        #expect(yard.pauses == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
    }

    @Test("a spare that dies unused is replaced, after a pause where it lived shortly")
    func dies() async throws {
        let yard = Yard()
        let pool = yard.pool(spare: 1)
        for round in 1...2 {
            await pool.refill()
            await pool.refilled()
            let spare = try #require(await pool.spares.first)
            if round == 2 { yard.pass(SparePlan.longLife) }
            spare.die()
            while await pool.spares.contains(where: { $0.name == spare.name }) { await Task.yield() }
            await pool.refilled()
            #expect(yard.booted == round + 1)
        }
        #expect(yard.pauses == [.seconds(1)])
    }

    @Test("after the end there is no machine, and none is booted")
    func shutDown() async throws {
        let yard = Yard()
        let pool = yard.pool(spare: 2)
        await pool.refill()
        await pool.refilled()
        let taken = try await pool.take { _ in }
        await pool.refilled()
        let spares = await pool.spares
        await pool.shutDown()
        for machine in spares + [taken] { #expect(await machine.ended().message == "ended") }
        let booted = yard.booted
        await pool.refill()
        await pool.refilled()
        #expect(yard.booted == booted)
        await #expect(throws: MachineError.self) { try await pool.take { _ in } }
    }

    @Test("a boot that was under way at the end is called off")
    func shutDownWhileBooting() async throws {
        let yard = Yard()
        let gate = yard.hold()
        let pool = yard.pool(spare: 1)
        await pool.refill()
        for await _ in yard.begun.stream { break }
        let ending = Task { await pool.shutDown() }
        gate.set(())
        await ending.value
        #expect(await pool.spares.isEmpty)
        #expect(yard.booted == 1)
    }

    @Test("who waits for a spare when the end begins gets none, and none is booted for him")
    func shutDownWhileWaiting() async throws {
        let yard = Yard()
        let pool = yard.pool(spare: 1)
        await pool.refill()
        await pool.refilled()
        let gate = yard.hold()
        let taken = try await pool.take { _ in }
        for await _ in yard.begun.stream.prefix(2) {}
        let said = AsyncStream<String>.makeStream()
        let taking = Task { () throws(MachineError) in try await pool.take { said.continuation.yield($0) } }
        for await _ in said.stream { break }
        let ending = Task { await pool.shutDown() }
        // When it has ended this one, it has begun.
        _ = await taken.ended()
        gate.set(())
        await #expect(throws: MachineError.self) { try await taking.value }
        await ending.value
        #expect(yard.booted == 2)
    }

    @Test("no spare is booted while somebody waits for a machine of his own")
    func yields() {
        var plan = SparePlan(spare: 1)
        #expect(plan.nextBoot(ready: 0) == .zero)
        plan.ownBoots = 1
        #expect(plan.nextBoot(ready: 0) == nil)
        let hasBegun = plan.beginBoot()
        #expect(!hasBegun)
    }

    @Test("pauses have an end")
    func longestPause() {
        var plan = SparePlan(spare: 1)
        for _ in 0..<100 { plan.bootEnded(failed: true) }
        #expect(plan.pause == SparePlan.longestPause)
        plan.spareTaken()
        #expect(plan.pause == .zero)
    }
}
