// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SourceTrees
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
    let reads: JobReads
    let naming: ClientNaming
    let clients: ClientLimits
    /// `nil` where the service builds more than once.
    let oneBuild: OneBuild?
    let logger: Logger
    let description: ByteBuffer
    let metrics: Metrics
    /// Of the program.
    let version: String
    let encodedResults = EncodedResults()
    let turns = KeyedTurns()
    let results = ResultChecks()

    /// Never throws but where the connection is past answering.
    func respond(
        to request: Request, from peer: IPAddress?, on loop: any EventLoop
    ) async throws -> Response {
        let start = ContinuousClock.now
        let route = Route(method: request.method, path: request.uri.path[...])
        var response = try await answer(request, route, from: peer, on: loop)
        if request.method == .head {
            response = response.createHeadResponse()
            // There is no stream after which to close.
            response.headers[.connection] = nil
        }
        metrics.requests.add(route, request.method, response.status)
        let log = RequestLog(logger: logger, level: configuration.logRequests ? .info : .debug)
        return log.watch(response, to: request, route, since: start)
    }

    private func answer(
        _ request: Request, _ route: Route, from peer: IPAddress?, on loop: any EventLoop
    ) async throws -> Response {
        do {
            switch route {
            case .refused(let refusal): throw refusal
            case .to(let operation, let id):
                let client = naming.client(peer: peer, headers: request.headers)
                return try await perform(operation, id: id, request, client, loop)
            }
        } catch let refusal as Refusal {
            return Self.json(refusal.status, refusal.json, headers: refusal.headers)
        }
    }

    private func perform(
        _ operation: Operation, id: String, _ request: Request, _ client: Client?, _ loop: any EventLoop
    ) async throws -> Response {
        switch operation {
        case .submit: try await submit(request, client)
        case .status: try await reading(id) { try await status(of: $0) }
        case .cancel: try await reading(id) { try await cancel($0) }
        case .events: try await reading(id, seat: clients.read(client)) { try await events(of: $0, request) }
        case .result: try await reading(id, seat: clients.read(client)) { try await result(of: $0, request, on: loop) }
        case .health:
            Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n")))
        case .metrics: try await metricsText()
        case .description:
            Response(
                status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: description))
        }
    }

    /// Answers about the job with that id, which is kept meanwhile: with a `seat`, until the whole answer has been sent.
    /// What is no id is refused like what is no job's.
    private func reading(
        _ text: String, seat: ReaderSeat? = nil, _ answer: (StoredJob) async throws -> Response
    ) async throws -> Response {
        guard let id = JobID(text), let read = reads.begin(id) else { throw Refusal.notFound }
        let response = try await answer(job(id))
        guard let seat else { return withExtendedLifetime(read) { response } }
        return response.atEnd { _ in withExtendedLifetime((read, seat)) {} }
    }

    func job(_ id: JobID) async throws(Refusal) -> StoredJob {
        do {
            guard let job = try await store.job(id) else { throw data.hasDamage(id) ? Refusal.damaged : .notFound }
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
        return (error as? StorageError)?.code == .damaged ? .damaged : .internal
    }

    static func json(_ status: HTTPResponse.Status, _ bytes: [UInt8], headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
