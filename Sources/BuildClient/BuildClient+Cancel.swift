// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOHTTP1

extension BuildClient {
    /// Further attempts where the server cannot be reached: whoever cancels waits for it.
    private static let cancelAttempts = 4

    /// Ends `job` on its server, and returns when nothing of it runs any more: `true` where it was cancelled, `false`
    /// where it had come to another end before.
    public func cancel(
        _ job: RemoteJob, onInterruption: (Interruption) -> Void = { _ in }
    ) async throws(BuildClientError) -> Bool {
        var schedule = RetrySchedule(attempts: Self.cancelAttempts)
        while true {
            do throws(BuildClientError) {
                var request = request("/build/\(job.id)")
                request.method = .DELETE
                return try await send(request, expecting: [200, 409]).status == .ok
            } catch {
                try await pause(after: error, &schedule, onInterruption)
            }
        }
    }
}
