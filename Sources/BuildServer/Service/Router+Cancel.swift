// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import Storage

extension Router {
    /// Cancels a job, and answers with its state when it has ended.
    func cancel(_ job: StoredJob) async throws -> Response {
        try await dispatcher.cancel(job.id, log: log(of: job))
        return try await status(of: self.job(job.id))
    }
}
