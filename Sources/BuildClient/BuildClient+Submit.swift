// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import ByteCoding
import NIOHTTP1
import StrictJSON

extension BuildClient {
    /// Hands in `submission` and returns its job once the server has it on disk.
    ///
    /// A server that is full or draining is asked again; `onInterruption` is told. Where a connection breaks the server
    /// may have taken the job: the same is sent again only to a server that says in its description of itself that it
    /// knows the submission by its idempotency key, so that it is built once.
    public func submit(
        _ submission: Submission, onInterruption: (Interruption) -> Void = { _ in }
    ) async throws(BuildClientError) -> RemoteJob {
        let key = Self.random()
        var schedule = schedule
        while true {
            do throws(BuildClientError) {
                return try await submitOnce(submission, key: key)
            } catch {
                guard error.code == .busy || error.mayHaveArrived else { throw error }
                try await pause(after: error, &schedule, onInterruption)
                guard error.mayHaveArrived else { continue }
                guard try await knowsKeys(&schedule, onInterruption) else { throw error }
            }
        }
    }

    /// Whether the server's description (OpenAPI) has the header `Idempotency-Key` where submissions are described.
    private func knowsKeys(
        _ schedule: inout RetrySchedule, _ onInterruption: (Interruption) -> Void
    ) async throws(BuildClientError) -> Bool {
        while true {
            do throws(BuildClientError) {
                let description = try await json(try await send(request("/openapi.json"), expecting: [200]))
                let parameters = description["paths"]?["/build"]?["post"]?["parameters"]?.arrayValue ?? []
                return parameters.contains { $0["name"]?.stringValue == "Idempotency-Key" }
            } catch {
                guard error.isTransient else { return false }
                try await pause(after: error, &schedule, onInterruption)
            }
        }
    }

    /// 128 bits in hexadecimal.
    private static func random() -> String {
        var random = SystemRandomNumberGenerator()
        return Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    private func submitOnce(_ submission: Submission, key: String) async throws(BuildClientError) -> RemoteJob {
        let form = UploadForm(submission, boundary: "cupel-" + Self.random())
        let body = try UploadBody(form)
        var request = request("/build")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: form.contentType)
        request.headers.add(name: "Idempotency-Key", value: "\"\(key)\"")
        request.body = .stream(body, length: .known(body.size))
        let response = try await send(request, expecting: [200, 202])
        guard let id = try await json(response)["job_id"]?.stringValue else {
            throw BuildClientError(.malformedAnswer, "the server's answer has no job_id")
        }
        return try RemoteJob(id: id)
    }
}
