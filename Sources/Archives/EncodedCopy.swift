// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Dispatch
internal import Foundation
internal import Synchronization

/// A tar file for whoever takes `Content-Encoding: zstd`, written on a thread of its own beside the plain one.
///
/// What decodes the content coding gets a `.tar.gz` of the very same tar file, in which nothing is compressed. The copy
/// may fail on its own, on a full disk for one: then there is none, and nobody else is disturbed.
package final class EncodedCopy: Sendable {
    private enum Step: Sendable {
        case begin(TarHeader)
        case write([UInt8])
        case end
    }

    private let path: String
    private let steps = Handover<Step>(capacity: 4)
    /// Nobody wants it any more, or it failed.
    private let isGivenUp = Atomic(false)
    private let hasEnded = Atomic(false)
    private let isWhole = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    package init(path: String) {
        self.path = path
        Thread { [self] in run() }.start()
    }

    package func begin(_ header: TarHeader) { put(.begin(header)) }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        if !isGivenUp.load(ordering: .relaxed) { put(.write(Array(bytes))) }
    }

    /// Ends the copy; whether it is whole and on the disk.
    package func close() -> Bool {
        guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        put(.end)
        ended.wait()
        return isWhole.load(ordering: .acquiring)
    }

    /// Returns when the copy is gone; whether it may have taken room until now. One that failed has it until its file is
    /// removed, which is perhaps while somebody else finds the disk full.
    package func giveUp() -> Bool {
        isGivenUp.store(true, ordering: .relaxed)
        guard !hasEnded.load(ordering: .acquiring) else { return false }
        _ = close()
        return true
    }

    private func put(_ step: Step) { steps.put(step) }

    private func run() {
        var file = try? TarFile(path: path, .zstd)
        loop: while true {
            let step = steps.take()
            if isGivenUp.load(ordering: .relaxed) { file = nil }
            do throws(BuildFailure) {
                switch step {
                case .begin(let header): try file?.begin(header)
                case .write(let bytes): try Self.write(bytes, to: file)
                case .end:
                    try file?.close()
                    isWhole.store(file != nil, ordering: .releasing)
                    break loop
                }
            } catch {
                // The rest is taken and dropped.
                isGivenUp.store(true, ordering: .relaxed)
                file = nil
                if case .end = step { break loop }
            }
        }
        file = nil
        ended.signal()
    }

    /// Not in the closure of withUnsafeBytes, which would lose the type of the error.
    private static func write(_ bytes: [UInt8], to file: TarFile?) throws(BuildFailure) {
        try bytes.withUnsafeBytes { bytes in Result { () throws(BuildFailure) in try file?.write(bytes) } }.get()
    }
}
