// SPDX-License-Identifier: Apache-2.0
import Logging
import Storage

extension Router {
    /// Throws where the result of a job is not as it was made.
    func checkResult(of job: StoredJob) async throws(Refusal) {
        do {
            try await results.check(job, in: data)
        } catch {
            throw failure("A result cannot be served", error, build: job.id)
        }
    }
}
