// SPDX-License-Identifier: Apache-2.0
internal import CProcess
internal import Foundation
package import StrictJSON
internal import Synchronization

/// The connection to the monitor of one QEMU. A thread of its own reads what comes, until QEMU or ``close()`` ends it.
package final class QMPConnection: Sendable {
    private typealias Answer = CheckedContinuation<Result<JSONValue, MachineError>, Never>

    private struct State {
        var waiting: [Int: Answer] = [:]
        var nextID = 1
        var isClosed = false
    }

    private let descriptor: Int32
    private let answerDeadline: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - descriptor: a connected socket, which is taken over.
    ///   - onEvent: is told of what happens in the machine, on the reading thread.
    package init(
        descriptor: Int32, answerDeadline: Duration = .seconds(30),
        onEvent: @escaping @Sendable (_ name: String, _ data: JSONValue) -> Void
    ) {
        self.descriptor = descriptor
        self.answerDeadline = answerDeadline
        let thread = Thread { [self] in
            read(onEvent)
            finish()
        }
        thread.stackSize = 512 << 10
        thread.name = "qmp"
        thread.start()
    }

    deinit { Foundation.close(descriptor) }

    /// A connected pair: this side's, and the one for QEMU.
    package static func pair() throws(MachineError) -> (here: Int32, there: Int32) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw MachineError(.start, "no socket could be made for QEMU: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    /// Runs a command. Throws where QEMU refuses it, is gone, or does not answer in time.
    @discardableResult
    package func execute(_ command: String, _ arguments: JSONValue = [:]) async throws(MachineError) -> JSONValue {
        let result: Result<JSONValue, MachineError> = await withCheckedContinuation { continuation in
            let id: Int? = state.withLock { state in
                guard !state.isClosed else { return nil }
                let id = state.nextID
                state.nextID += 1
                state.waiting[id] = continuation
                return id
            }
            guard let id else { return continuation.resume(returning: .failure(Self.gone)) }
            Task { [weak self, answerDeadline] in
                try? await Task.sleep(for: answerDeadline)
                self?.answer(
                    id, .failure(MachineError(.deadline, "QEMU did not answer to \(command) in \(answerDeadline)")))
            }
            send(QMPMessage.command(command, arguments, id: id))
        }
        do {
            return try result.get()
        } catch {
            guard error.code == .start else { throw error }
            throw MachineError(.start, "QEMU refused \(command): \(error.message)")
        }
    }

    /// Ends the connection; commands that wait fail.
    package func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private static let gone = MachineError(.ended, "QEMU is gone")

    /// Commands are few and short: they fit into the socket, whether QEMU reads or not.
    private func send(_ bytes: [UInt8]) {
        let sent = Foundation.send(
            descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if sent != bytes.count { close() }
    }

    private func read(_ onEvent: (String, JSONValue) -> Void) {
        var lines = QMPLines()
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            let messages = buffer.withUnsafeBytes {
                try? lines.messages(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            guard let messages else { return close() }
            for message in messages { take(message, onEvent) }
        }
    }

    private func take(_ message: QMPMessage, _ onEvent: (String, JSONValue) -> Void) {
        switch message {
        case .greeting: break
        case .success(let id, let value): answer(id, .success(value))
        case .failure(let id, let text): answer(id, .failure(MachineError(.start, text)))
        case .event(let name, let data): onEvent(name, data)
        }
    }

    private func answer(_ id: Int, _ result: Result<JSONValue, MachineError>) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiting?.resume(returning: result)
    }

    private func finish() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for answer in waiting.values { answer.resume(returning: .failure(Self.gone)) }
    }
}
