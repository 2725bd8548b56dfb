// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import Logging
import Storage
import StrictJSON

extension Router {
    /// Takes a job. The answer goes out when the source and the job itself are on the disk.
    ///
    /// Submissions with one idempotency key come one after another: the first makes the job, the others find it, and need
    /// no place of their own.
    func submit(_ request: Request, _ client: Client?) async throws -> Response {
        guard let key = try IdempotencyKey(request.headers) else {
            return Self.accepted(try await take(request, clients.submit(client)))
        }
        return try await turns.take(key.text) {
            if let job = try await job(with: key) {
                try clients.again(client)
                return try await repeated(request, of: job)
            }
            return Self.accepted(try await take(request, clients.submit(client), key: key))
        }
    }

    private func job(with key: IdempotencyKey) async throws(Refusal) -> StoredJob? {
        do {
            return try await store.job(withKey: key.text)
        } catch {
            logger.error("A job could not be read", metadata: ["error": "\(error)"])
            throw error.code == .damaged ? .damaged : .internal
        }
    }

    /// A submission whose key has a job: it is read to compare it, and neither takes a place nor leaves anything.
    private func repeated(_ request: Request, of job: StoredJob) async throws -> Response {
        let received = try await Submission.receive(request, path: nil, limit: configuration.limits.uploadSize)
        guard received.request == job.request else { throw Refusal.keyTaken }
        return Self.accepted(job.id)
    }

    private func take(_ request: Request, _ place: JobPlace, key: IdempotencyKey? = nil) async throws -> JobID {
        try oneBuild?.claim()
        do {
            let id = try await enter(request, place, key: key)
            oneBuild?.take()
            return id
        } catch {
            oneBuild?.giveBack()
            throw error
        }
    }

    private func enter(_ request: Request, _ place: JobPlace, key: IdempotencyKey?) async throws -> JobID {
        var position = try await dispatcher.reserve()
        let id = Self.newID()
        do {
            let received = try await receive(request, as: id)
            // Receiving an upload takes time, in which the line moves.
            if received.archivePath != nil { position = min(position, await dispatcher.expectedPosition) }
            let job = StoredJob(
                id: id, request: received.request, position: position, idempotencyKey: key?.text)
            try await admit(job, source: received.archivePath, place)
        } catch {
            await dispatcher.release()
            throw error
        }
        return id
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

    /// The row goes last: a job that has none was never promised, and the next start clears what it left. What the row
    /// says can be made again, so that nothing else but the upload needs a sync.
    private func admit(_ job: StoredJob, source: String?, _ place: JobPlace) async throws(Refusal) {
        do {
            if source != nil { try await data.syncIncoming() }
            _ = try logs.create(job.id, source: source, position: job.position ?? 0)
            try await store.accept(job)
            if source != nil { data.dropIncoming(job.id) }
            place.take(for: job.id)
            metrics.accepted(job.request)
            await dispatcher.enter(job.id, announced: job.position ?? 0)
        } catch {
            logs.forget(job.id)
            data.remove(job.id)
            logger.error("A job could not be kept", metadata: ["build.id": "\(job.id)", "error": "\(error)"])
            throw .storageFull
        }
    }

    private static func accepted(_ id: JobID) -> Response {
        json(.accepted, Array("{\"job_id\":\"\(id)\"}".utf8), headers: [.location: "/build/\(id)"])
    }

    /// 128 bits from the system's generator, which is cryptographically secure.
    private static func newID() -> JobID {
        var random = SystemRandomNumberGenerator()
        return JobID(high: random.next(), low: random.next())
    }
}
