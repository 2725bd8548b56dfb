// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Storage
import StrictJSON

/// Answers requests: finds the endpoint, runs its operation, turns refusals into JSON.
struct Router: Sendable {
    let configuration: Configuration
    let data: DataFolder
    let store: any BuildStore
    let logs: EventLogs
    let dispatcher: Dispatcher
    let readers: Readers
    let logger: Logger
    let description: ByteBuffer

    /// Never throws but where the connection is past answering.
    func respond(to request: Request) async throws -> Response {
        do {
            switch Route(method: request.method, path: request.uri.path[...]) {
            case .refused(let refusal): throw refusal
            case .to(let operation, let id):
                let response = try await perform(operation, id: id, request)
                return request.method == .head ? response.createHeadResponse() : response
            }
        } catch let refusal as Refusal {
            return Self.json(refusal.status, refusal.json, headers: refusal.headers)
        }
    }

    private func perform(_ operation: Operation, id: String, _ request: Request) async throws -> Response {
        switch operation {
        case .submit: try await submit(request)
        case .status: try await status(of: job(id))
        case .cancel: try await cancel(job(id))
        case .events: try await events(of: job(id), request)
        case .result: try await result(of: job(id), request)
        case .health:
            Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n")))
        case .description:
            Response(
                status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: description))
        }
    }

    /// The job with that id; what is no id is refused like what is no job's.
    private func job(_ text: String) async throws(Refusal) -> StoredJob {
        guard let id = JobID(text) else { throw .notFound }
        return try await job(id)
    }

    func job(_ id: JobID) async throws(Refusal) -> StoredJob {
        do {
            guard let job = try await store.job(id) else { throw Refusal.notFound }
            return job
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw failure("A job could not be read", error, build: id)
        }
    }

    /// Logs what went wrong, for the operator; the requester learns only that something did.
    func failure(_ message: Logger.Message, _ error: any Error, build id: JobID) -> Refusal {
        logger.error(message, metadata: ["build.id": "\(id)", "error": "\(error)"])
        return .internal
    }

    static func json(_ status: HTTPResponse.Status, _ bytes: [UInt8], headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
