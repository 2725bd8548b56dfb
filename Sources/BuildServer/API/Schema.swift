// SPDX-License-Identifier: Apache-2.0
import Builds
import StrictJSON

/// The JSON of the API as JSON Schema (2020-12), for the description.
enum Schema {
    static let nonce: JSONValue = [
        "type": "string", "pattern": "^([0-9A-Fa-f]{2}){1,16}$",
        "description": "Hexadecimal, 1 to 16 bytes; bound into the evidence.",
    ]
    static let sourceName: JSONValue = [
        "type": "string", "maxLength": 255,
        "description": "File name of the archive; names the result's folder where the archive has no single one.",
    ]

    static let all: JSONValue = [
        "Submission": submission, "SubmissionForm": form, "Accepted": accepted, "Job": job, "Event": event,
        "Refusal": refusal,
    ]

    private static let repository: JSONValue = [
        "type": "string", "description": "A git repository, https:// or http://.",
    ]
    private static let ref: JSONValue = [
        "type": "string", "description": "Branch, tag or commit; the default branch without it.",
    ]

    private static let submission: JSONValue = [
        "type": "object",
        "properties": [
            "nonce": nonce, "repo_url": repository, "repo_ref": ref, "source_name": sourceName,
            "source_data": [
                "type": "string", "contentEncoding": "base64",
                "description": "A ZIP file or a gzip-compressed tar file.",
            ],
        ],
        "required": ["nonce"], "oneOf": [["required": ["repo_url"]], ["required": ["source_data"]]],
    ]

    private static let form: JSONValue = [
        "type": "object",
        "properties": [
            "nonce": nonce, "repo_url": repository, "ref": ref, "repo_ref": ref, "source_name": sourceName,
            "source": [
                "type": "string", "contentMediaType": "application/octet-stream",
                "description": "The archive, with its file name.",
            ],
        ],
        "required": ["nonce"], "oneOf": [["required": ["repo_url"]], ["required": ["source"]]],
    ]

    private static let id: JSONValue = ["type": "string", "pattern": "^[0-9a-f]{32}$"]

    private static let accepted: JSONValue = [
        "type": "object", "properties": ["job_id": id], "required": ["job_id"],
    ]

    private static let kinds: JSONValue = .array(BuildFailure.Kind.allCases.map { .string($0.rawValue) })

    private static let job: JSONValue = [
        "type": "object",
        "properties": [
            "job_id": id, "status": ["enum": ["queued", "running", "ok", "failed"]],
            "position": ["type": "integer", "minimum": 0, "description": "Place in line while queued."],
            "attempt": ["type": "integer", "minimum": 0, "description": "Starts of the build so far."],
            "events": ["type": "integer", "minimum": 0, "description": "Events of the stream so far."],
            "created_at": ["type": "string", "format": "date-time"],
            "result_size": ["type": "integer", "minimum": 0, "description": "Bytes of the result."],
            "error": ["type": "string"], "error_type": ["enum": kinds],
        ],
        "required": ["job_id", "status", "events"],
    ]

    private static let event: JSONValue = [
        "oneOf": [
            [
                "type": "object",
                "properties": ["type": ["const": "queued"], "position": ["type": "integer", "minimum": 0]],
                "required": ["type", "position"],
            ],
            [
                "type": "object",
                "properties": [
                    "type": ["enum": ["vm", "init", "detect", "build", "provenance", "attest"]],
                    "msg": ["type": "string"],
                ],
                "required": ["type", "msg"],
            ],
            [
                "type": "object", "properties": ["type": ["const": "complete"], "result": outcome],
                "required": ["type", "result"],
            ],
        ]
    ]

    private static let outcome: JSONValue = [
        "oneOf": [
            ["type": "object", "properties": ["status": ["const": "ok"]], "required": ["status"]],
            [
                "type": "object",
                "properties": [
                    "status": ["const": "failed"], "error": ["type": "string"], "error_type": ["enum": kinds],
                ],
                "required": ["status", "error", "error_type"],
            ],
        ]
    ]

    private static let refusal: JSONValue = [
        "type": "object",
        "properties": [
            "status": ["const": "failed"],
            "error": ["type": "string", "description": "What is wrong and what to do."],
            "error_type": ["enum": ["InvalidRequestError", "UnavailableError", "InternalError"]],
        ],
        "required": ["status", "error", "error_type"],
    ]
}
