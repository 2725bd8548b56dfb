// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import ByteCoding
import NIOHTTP1
import StrictJSON

extension BuildClient {
    /// Hands in `submission` and returns its job once the server has it on disk.
    ///
    /// A server that is full or draining is asked again; `onInterruption` is told. A connection that breaks is an
    /// error, since the server may have taken the job: another attempt could build it twice.
    public func submit(
        _ submission: Submission, onInterruption: (Interruption) -> Void = { _ in }
    ) async throws(BuildClientError) -> RemoteJob {
        var schedule = schedule
        while true {
            do throws(BuildClientError) {
                return try await submitOnce(submission)
            } catch {
                guard error.code == .busy else { throw error }
                try await pause(after: error, &schedule, onInterruption)
            }
        }
    }

    private func submitOnce(_ submission: Submission) async throws(BuildClientError) -> RemoteJob {
        var random = SystemRandomNumberGenerator()
        let boundary = "cupel-" + Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        let form = UploadForm(submission, boundary: boundary)
        let body = try UploadBody(form)
        var request = request("/build")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: form.contentType)
        request.body = .stream(body, length: .known(body.size))
        let response = try await send(request, expecting: [200, 202])
        guard let id = try await json(response)["job_id"]?.stringValue else {
            throw BuildClientError(.malformedAnswer, "the server's answer has no job_id")
        }
        return try RemoteJob(id: id)
    }
}
