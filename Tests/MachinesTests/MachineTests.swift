// SPDX-License-Identifier: Apache-2.0
import Foundation
import Machines
import Testing

@Suite("The life of a machine", .timeLimit(.minutes(10))) struct MachineTests {
    @Test("a machine that answers is ready; its end leaves nothing, however often it is asked for")
    func readyAndEnded() async throws {
        let played = try PlayedMachine(.ready)
        let machine = try await played.launch()
        #expect(machine.address.hasPrefix("http://127.0.0.1:"))
        #expect(await machine.nextConsoleLine() == "booting as ready")
        #expect(played.remains.contains(machine.name))
        await machine.end()
        #expect(played.remains == [])
        await machine.end()
        #expect(await machine.ended().message.contains("not wanted any more"))
        #expect(await machine.nextConsoleLine() == nil)
    }

    @Test(
        "a machine that is lost says why, and what its console said last",
        arguments: [
            (PlayedMachine.Role.ready, "powered itself off"), (.mortal, "somebody killed it"),
            (.restless, "start again"),
        ])
    func lost(role: PlayedMachine.Role, words: String) async throws {
        let played = try PlayedMachine(role)
        let machine = try await played.launch()
        try? await machine.cutNetwork()
        let reason = await machine.ended()
        #expect(reason.code == .ended)
        #expect(reason.message.contains(words))
        #expect(reason.message.contains("its console said last: booting as \(role.rawValue) | link outbound False"))
        #expect(played.remains == [])
        await #expect(throws: MachineError.self) { try await machine.cutNetwork() }
    }

    @Test("a machine that goes silent is given up")
    func silent() async throws {
        let played = try PlayedMachine(.fading, silence: .seconds(20))
        let machine = try await played.launch()
        try await machine.cutNetwork()
        let reason = await machine.ended()
        #expect(reason.code == .deadline)
        #expect(reason.message.contains("no sign of life for 20 seconds"))
        #expect(played.remains == [])
    }

    @Test(
        "a machine that does not come up is an error that says why, and leaves nothing",
        arguments: [
            (PlayedMachine.Role.deaf, 5, MachineError.Code.deadline, "did not answer within 5 seconds"),
            (.ill, 5, .deadline, "did not answer within 5 seconds"),
            (.misleading, 5, .deadline, "did not answer within 5 seconds"),
            (.broken, 60, .ended, "there is no such option"), (.babbling, 60, .ended, "QEMU ended"),
        ])
    func notUp(role: PlayedMachine.Role, seconds: Int, code: MachineError.Code, words: String) async throws {
        let played = try PlayedMachine(role, bootDeadline: .seconds(seconds))
        do throws(MachineError) {
            _ = try await played.launch()
            Issue.record("\(role.rawValue) came up")
        } catch {
            #expect(error.code == code)
            #expect(error.message.contains(words))
            #expect(error.message.contains("its console said last: "))
        }
        #expect(played.remains == [])
    }

    @Test("a boot that nobody wants any more ends at once, and leaves nothing")
    func cancelled() async throws {
        let played = try PlayedMachine(.deaf)
        let (started, continuation) = AsyncStream<Void>.makeStream()
        let task = Task { () throws(MachineError) in
            try await MachineLaunch(settings: played.settings) { _ in continuation.yield() }.run()
        }
        for await _ in started { break }
        task.cancel()
        let result = await task.result
        #expect { try result.get() } throws: { ($0 as? MachineError)?.code == .cancelled }
        #expect(played.remains == [])
    }

    @Test("a program that is not there is an error that names it")
    func noProgram() async throws {
        let played = try PlayedMachine(.ready)
        var settings = played.settings
        settings.qemu = "/no/such"
        do throws(MachineError) {
            _ = try await MachineLaunch(settings: settings) { _ in }.run()
            Issue.record("it came up")
        } catch {
            #expect(error.message.contains("/no/such"))
        }
        #expect(played.remains == [])
    }

    @Test("nothing is started with settings that no machine can have")
    func settings() async throws {
        let played = try PlayedMachine(.ready)
        let changes: [(String, @Sendable (inout MachineSettings) -> Void)] = [
            ("need KVM", { $0.accelerator = .emulation }), ("machine.cpus", { $0.cpus = 0 }),
            ("machine.memory", { $0.memory = (512 << 20) + 1 }), ("machine.disk", { $0.disk = 1 }),
            ("absolute", { $0.folder = "state" }),
        ]
        for (words, change) in changes {
            var settings = played.settings
            change(&settings)
            do throws(MachineError) {
                _ = try await MachineLaunch(settings: settings) { _ in }.run()
                Issue.record("it came up without \(words)")
            } catch {
                #expect(error.code == .unusable)
                #expect(error.message.contains(words))
            }
        }
        #expect(played.remains == [])
    }

    @Test("no machine is given the user of another one")
    func users() throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder + "/machine-1", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let taken = geteuid()
        var drawn = [taken, taken, taken + 1]
        let other = MachineFolder.unusedUser(in: folder) { drawn.removeFirst() }
        #expect(other == taken + 1)
        #expect(drawn == [])
        let none = MachineFolder.unusedUser(in: folder) { taken }
        #expect(none == nil)
        let first = MachineFolder.unusedUser(in: folder + "/none") { taken }
        #expect(first == taken)
    }
}
