// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import NIOCore
import Logging
import Storage
import StrictJSON

extension Router {
    func events(of job: StoredJob, _ request: Request) async throws -> Response {
        let log = try await log(of: job)
        let first = try Self.firstEvent(request)
        do {
            let start = StreamStart(
                event: first, offset: try log.offset(ofEvent: first), isNumbered: Self.wantsIDs(request))
            return EventStream(log: log, start: start, readers: readers) { [oneBuild] in
                if case .some(.some) = log.outcome { oneBuild?.tellFailure() }
            }.response
        } catch {
            throw failure("An event log could not be read", error, build: job.id)
        }
    }

    func log(of job: StoredJob) async throws(Refusal) -> EventLog {
        do {
            return try await logs.log(job.id, expecting: job.logFile)
        } catch {
            throw failure("An event log could not be opened", error, build: job.id)
        }
    }

    /// `Last-Event-ID` is younger than the `from` of the address that a browser connects to again.
    private static func firstEvent(_ request: Request) throws(Refusal) -> Int {
        let from = try Query(request.uri.query.map { $0[...] } ?? "").count("from")
        guard let text = request.headers[.lastEventID], !text.isEmpty else { return from ?? 0 }
        guard let last = Query.count(text) else {
            throw .malformed("Last-Event-ID must be the id of an event, a whole number from 0 to \(Int.max)")
        }
        return last == .max ? last : last + 1
    }

    private static func wantsIDs(_ request: Request) -> Bool {
        request.headers[values: .accept].contains { value in
            value.split(separator: ",").contains { HeaderValue(String($0))?.main == "text/event-stream" }
        }
    }

    func status(of job: StoredJob) async throws(Refusal) -> Response {
        let log = try await log(of: job)
        var members: [String: JSONValue] = [
            "job_id": .string(job.id.text), "events": .integer(log.state.count), "attempt": .integer(job.attempt),
            "created_at": .string(job.createdAt),
        ]
        members["started_at"] = job.startedAt.map { .string($0) }
        members["finished_at"] = job.finishedAt.map { .string($0) }
        // The log knows first: a job is settled after its last event.
        switch log.outcome {
        case .some(nil):
            members["status"] = "ok"
            members["result_size"] = (try? ResultFile(path: data.resultPath(job.id))).map { .integer(Int($0.size)) }
        case .some(let failure?):
            members["status"] = "failed"
            members["error"] = .string(failure.message)
            members["error_type"] = .string(failure.kind.rawValue)
        case nil:
            let position = await dispatcher.position(of: job.id)
            members["status"] = position == nil ? "running" : "queued"
            members["position"] = position.map { .integer($0) }
        }
        return Self.json(.ok, JSONValue.object(members).canonicalBytes)
    }
}
