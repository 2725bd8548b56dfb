// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes
internal import Synchronization

/// QEMU, asked short questions.
package struct QEMUProgram: Sendable {
    private static let deadline = Duration.seconds(20)
    private static let largestOutput = 256 << 10

    /// Absolute.
    let path: String

    package init(path: String) { self.path = path }

    /// The types of its objects (`-object help`); `nil` where it cannot be run.
    package func objects() async -> Set<String>? {
        guard let output = await output(["-object", "help"]) else { return nil }
        return Set(output.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) })
    }

    private func output(_ arguments: [String]) async -> String? {
        let bytes = Mutex<[UInt8]>([])
        let confined = HostConfinement(account: nil, controlGroup: nil, fileSize: 0, addressSpace: nil, threads: nil)
        guard
            let process = try? await BackgroundProcess.start(
                confined.arguments([path] + arguments), environment: ["LC_ALL": "C.UTF-8"],
                output: { isError, piece in
                    guard !isError else { return }
                    bytes.withLock { if $0.count < Self.largestOutput { $0 += piece } }
                })
        else { return nil }
        let timer = Task {
            try await Task.sleep(for: Self.deadline)
            process.kill()
        }
        let status = await process.ended()
        timer.cancel()
        return status == 0 ? bytes.withLock { String(decoding: $0, as: UTF8.self) } : nil
    }
}
