// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import Logging
import Storage
import StrictJSON

extension Router {
    /// Takes a job. The answer goes out when the source, the first event and the job itself are on the disk.
    func submit(_ request: Request, place: JobPlace) async throws -> Response {
        let position = try await dispatcher.reserve()
        let id = Self.newID()
        do {
            let received = try await receive(request, as: id)
            try await admit(received, as: id, position: position, place)
        } catch {
            await dispatcher.release()
            throw error
        }
        let body = Array("{\"job_id\":\"\(id)\"}".utf8)
        return Self.json(.accepted, body, headers: [.location: "/build/\(id)"])
    }

    /// A disk that takes no upload is the operator's to mend.
    private func receive(_ request: Request, as id: JobID) async throws -> Submission.Received {
        do {
            return try await Submission.receive(
                request, path: data.incomingPath(id), limit: configuration.limits.uploadSize)
        } catch let refusal as Refusal where refusal.status == .serviceUnavailable {
            logger.error(
                "An upload could not be kept: see to the disk of the data folder", metadata: ["build.id": "\(id)"])
            throw refusal
        }
    }

    /// The row goes last: a job that has none was never promised, and the next start clears what it left.
    private func admit(
        _ received: Submission.Received, as id: JobID, position: Int, _ place: JobPlace
    ) async throws(Refusal) {
        do {
            let log = try await logs.create(id, source: received.archivePath)
            try log.append([.queued(position: position)])
            try log.sync()
            let job = StoredJob(id: id, request: received.request)
            try await store.accept(job)
            place.take(for: id)
            metrics.accepted(received.request)
            await dispatcher.enter(job, log: log, announced: position)
        } catch {
            await logs.forget(id)
            data.remove(id)
            logger.error("A job could not be kept", metadata: ["build.id": "\(id)", "error": "\(error)"])
            throw .storageFull
        }
    }

    /// 128 bits from the system's generator, which is cryptographically secure.
    private static func newID() -> JobID {
        var random = SystemRandomNumberGenerator()
        return JobID(high: random.next(), low: random.next())
    }
}
