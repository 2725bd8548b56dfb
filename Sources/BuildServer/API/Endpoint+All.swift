// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import StrictJSON

extension Endpoint {
    /// The whole API.
    static let all: [Endpoint] = [submit, status, cancel, events, result, health, metrics, description]

    private static let id = Parameter(
        name: "id", place: .path, meaning: "The job id that the submission was answered with.",
        schema: ["type": "string", "pattern": "^[0-9a-f]{32}$"], isRequired: true)

    private static let unknownJob = Answer.refusal(404, "There is no such job.")
    private static let methodNotAllowed = Answer.refusal(
        405, "The path does not take this method.", headers: ["Allow": "The methods that it takes."])
    private static let failed = Answer.refusal(500, "The service failed.")
    private static let retryAfter = ["Retry-After": "Seconds after which to try again."]

    private static let tooManyReaders = Answer.refusal(
        429, "The client's address has too many streams and downloads open.", headers: retryAfter)

    private static let archive: JSONValue = [
        "type": "string", "contentMediaType": "application/octet-stream", "minLength": 1,
        "description": "A ZIP file or a gzip-compressed tar file.",
    ]

    private static let submit = Endpoint(
        operation: .submit, method: .post, path: "/build", summary: "Submit a build",
        parameters: [
            Parameter(
                name: "nonce", place: .query, meaning: "As in the JSON form; for a raw archive, which needs it.",
                schema: Schema.nonce),
            Parameter(
                name: "source_name", place: .query, meaning: "As in the JSON form; for a raw archive.",
                schema: Schema.sourceName),
            Parameter(
                name: "Idempotency-Key", place: .header,
                meaning:
                    "Any value of its own for each submission, in quotation marks or bare: a submission that is sent "
                    + "again with it is answered with the job of the first, for as long as that is kept.",
                schema: Schema.idempotencyKey),
        ],
        bodies: [
            "application/json": ["$ref": "#/components/schemas/Submission"],
            "multipart/form-data": ["$ref": "#/components/schemas/SubmissionForm"],
            "application/zip": archive,
            "application/gzip": archive,
        ],
        answers: [
            Answer(
                status: 202, meaning: "The job is accepted: it survives a crash of the service from now on.",
                contentType: "application/json", schema: ["$ref": "#/components/schemas/Accepted"],
                headers: ["Location": "The job's own path."]),
            .refusal(400, "The request is malformed; the error says where."), methodNotAllowed,
            .refusal(
                409,
                "The Idempotency-Key belongs to another submission, or the service builds once and has taken its build."
            ),
            .refusal(408, "The upload is too slow."),
            .refusal(413, "The archive is larger than the service takes."),
            .refusal(415, "The content type or encoding is none of those described."),
            .refusal(
                429, "The client's address submits too often, or has too many unfinished jobs.", headers: retryAfter),
            failed,
            .refusal(503, "As many jobs wait as may, or the service is stopping.", headers: retryAfter),
        ])

    private static let status = Endpoint(
        operation: .status, method: .get, path: "/build/{id}", summary: "The state of a build", parameters: [id],
        answers: [
            Answer(
                status: 200, meaning: "The job as it is now.", contentType: "application/json",
                schema: ["$ref": "#/components/schemas/Job"]),
            unknownJob, methodNotAllowed, failed,
        ])

    private static let cancel = Endpoint(
        operation: .cancel, method: .delete, path: "/build/{id}",
        summary: "Cancel a build: everything of it ends, and its last event says CancelledError", parameters: [id],
        answers: [
            Answer(
                status: 200, meaning: "The build has been cancelled, now or before; the job as it is now.",
                contentType: "application/json", schema: ["$ref": "#/components/schemas/Job"]),
            unknownJob, methodNotAllowed, .refusal(409, "The build has come to another end; nothing changes."), failed,
            .refusal(503, "The end cannot be kept, or the service is stopping.", headers: retryAfter),
        ])

    private static let events = Endpoint(
        operation: .events, method: .get, path: "/build/{id}/events",
        summary: "Follow a build: every event so far, then live until it is complete",
        parameters: [
            id,
            Parameter(
                name: "from", place: .query, meaning: "Skip this many events.",
                schema: ["type": "integer", "format": "int64", "minimum": 0, "default": 0]),
            Parameter(
                name: "Last-Event-ID", place: .header,
                meaning:
                    "Resume after the event with this id, of 63 bits; goes before `from`. Without digits it says nothing.",
                schema: ["type": "string", "pattern": "^[0-9]*$"]),
            Parameter(
                name: "Accept", place: .header,
                meaning: "With text/event-stream each event carries an id, counted from 0.",
                schema: ["type": "string"]),
        ],
        answers: [
            Answer(
                status: 200,
                meaning: "Server-sent events; the schema is that of one. Each is one line `data: ` with an Event as "
                    + "JSON, and a blank line.",
                contentType: "text/event-stream",
                schema: [
                    "type": "object", "required": ["data"],
                    "properties": [
                        "data": [
                            "type": "string", "contentMediaType": "application/json",
                            "contentSchema": ["$ref": "#/components/schemas/Event"],
                        ],
                        "id": ["type": "string", "pattern": "^[0-9]+$"],
                    ],
                ],
                headers: ["Cache-Control": "no-store", "X-Accel-Buffering": "no"]),
            .refusal(400, "`from` or `Last-Event-ID` is no whole number from 0, of 63 bits."),
            unknownJob, methodNotAllowed,
            tooManyReaders, failed,
        ])

    private static let result = Endpoint(
        operation: .result, method: .get, path: "/build/{id}/result",
        summary: "Fetch the artifacts with their provenance and evidence",
        parameters: [
            id,
            Parameter(
                name: "Range", place: .header, meaning: "One range of bytes (RFC 9110, section 14).",
                schema: ["type": "string"]),
            Parameter(
                name: "If-Range", place: .header, meaning: "Serve the range only if the ETag is this one.",
                schema: ["type": "string"]),
            Parameter(
                name: "If-None-Match", place: .header, meaning: "Answer 304 if the ETag is among these.",
                schema: ["type": "string"]),
            Parameter(
                name: "Accept-Encoding", place: .header,
                meaning:
                    "Where it names zstd, the answer may have that content coding: it decodes to a gzip-compressed "
                    + "tar file of the same content, and is smaller. Each coding has its own ETag and its own ranges.",
                schema: ["type": "string"]),
        ],
        answers: [
            Answer(
                status: 200, meaning: "The gzip-compressed tar file.", contentType: "application/gzip",
                schema: archive, headers: resultHeaders, conditionalHeaders: coding),
            Answer(
                status: 206, meaning: "A part of it.", contentType: "application/gzip", schema: archive,
                headers: resultHeaders.merging(["Content-Range": "Which part."]) { $1 },
                conditionalHeaders: coding),
            Answer(
                status: 304, meaning: "The copy at hand is right.",
                headers: ["ETag": "Changes never.", "Vary": "Accept-Encoding"]),
            .refusal(404, "There is no such job, or it has no result (yet)."), methodNotAllowed,
            .refusal(416, "The range lies outside the file.", headers: ["Content-Range": "The size."]), tooManyReaders,
            failed,
            .refusal(503, "The result cannot be read at the moment.", headers: retryAfter),
        ])

    private static let resultHeaders = [
        "Content-Length": "Bytes that follow.", "Content-Disposition": "A file name.", "ETag": "Changes never.",
        "Accept-Ranges": "bytes", "Vary": "Accept-Encoding",
    ]
    private static let coding = ["Content-Encoding": "zstd, where it was asked for."]

    private static let health = Endpoint(
        operation: .health, method: .get, path: "/health", summary: "Whether the service answers",
        answers: [
            Answer(
                status: 200, meaning: "It does.", contentType: "text/plain",
                schema: ["type": "string", "const": "ok"]),
            methodNotAllowed,
        ])

    private static let metrics = Endpoint(
        operation: .metrics, method: .get, path: "/metrics", summary: "What the service counts, for Prometheus",
        answers: [
            Answer(
                status: 200, meaning: "Prometheus text format 0.0.4.", contentType: "text/plain",
                schema: ["type": "string"], headers: ["Cache-Control": "no-store"]),
            .refusal(404, "The operator does not serve them."), methodNotAllowed, failed,
        ])

    private static let description = Endpoint(
        operation: .description, method: .get, path: "/openapi.json", summary: "This description",
        answers: [
            Answer(
                status: 200, meaning: "OpenAPI 3.1.", contentType: "application/json", schema: ["type": "object"]),
            methodNotAllowed,
        ])
}
