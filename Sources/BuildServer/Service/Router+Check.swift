// SPDX-License-Identifier: Apache-2.0
import Logging
import Storage

extension Router {
    /// Throws where the result of a job is not as it was made, or cannot be read at the moment.
    func checkResult(of job: StoredJob) async throws(Refusal) {
        do {
            try await results.check(job, in: data)
        } catch {
            let refusal = failure("A result cannot be served", error, build: job.id)
            throw error.code == .damaged ? refusal : .resultUnreadable
        }
    }
}
