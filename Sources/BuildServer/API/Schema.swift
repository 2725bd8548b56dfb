// SPDX-License-Identifier: Apache-2.0
import Builds
import StrictJSON

/// The JSON of the API as JSON Schema (2020-12), for the description.
enum Schema {
    static let nonce: JSONValue = [
        "type": "string", "pattern": "^([0-9A-Fa-f]{2}){1,16}$",
        "description": "Hexadecimal, 1 to 16 bytes; bound into the evidence.",
    ]
    static let idempotencyKey: JSONValue = [
        "type": "string", "pattern": #"^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"#,
    ]
    static let sourceName: JSONValue = [
        "type": "string", "maxLength": 255, "pattern": "^[^\\u0000-\\u001F\\u007F]*$",
        "description": "File name of the archive; names the result's folder where the archive has no single one.",
    ]

    static let all: JSONValue = [
        "Submission": submission, "SubmissionForm": form, "Accepted": accepted, "Job": job, "Event": event,
        "Refusal": refusal,
    ]

    // The parts of a repository's address, as GitURL reads them.
    private static let scheme = "[Hh][Tt][Tt][Pp][Ss]?://"
    private static let host = #"([A-Za-z0-9._][A-Za-z0-9._-]*|\[[A-Za-z0-9._:][A-Za-z0-9._:-]*\])"#
    private static let port =
        ":0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
    private static let path = #"[!"$->@-\[\]-~]"#

    private static let repository: JSONValue = [
        "type": "string", "maxLength": 2048, "pattern": .string("^\(scheme)\(host)(\(port))?(/\(path)*)?$"),
        "description": "A git repository, https:// or http://, without user name, query or fragment.",
    ]
    /// As GitRef reads it.
    private static let refName =
        #"^(?!@$)(?![-./])(?!.*(\.\.|@\{|//|/\.|\.lock(/|$)|[./]$))[^\u0000-\u0020\u007F~^:?*\[\\]+$"#

    private static let ref: JSONValue = [
        "type": "string", "minLength": 1, "maxLength": 255, "pattern": .string(refName),
        "description": "Branch, tag or commit, as git-check-ref-format allows; the default branch without it.",
    ]

    /// Four characters for three bytes, with line ends anywhere; the last ones carry no bits beyond the last byte.
    private static let base64 = {
        let end = #"[\r\n]*"#
        let character = "[A-Za-z0-9+/]\(end)"
        let last =
            "(\(character)){2}((\(character)){2}|[AEIMQUYcgkosw048]\(end)=\(end))|\(character)[AQgw]\(end)=\(end)=\(end)"
        return "^\(end)((\(character)){4})*(\(last))$"
    }()

    private static let submission: JSONValue = [
        "type": "object",
        "properties": [
            "nonce": nonce, "repo_url": orNull(repository), "repo_ref": orNull(ref), "source_name": orNull(sourceName),
            "source_data": [
                "type": ["string", "null"], "contentEncoding": "base64", "minLength": 4, "pattern": .string(base64),
                "description": "A ZIP file or a gzip-compressed tar file. Line ends between characters are skipped.",
            ],
        ],
        "required": ["nonce"],
        "oneOf": [
            ["required": ["repo_url"], "properties": ["repo_url": ["type": "string"], "source_data": null]],
            [
                "required": ["source_data"],
                "properties": ["source_data": ["type": "string"], "repo_url": null, "repo_ref": null],
            ],
        ],
    ]

    /// What says the same as a member that is not there.
    private static let null: JSONValue = ["type": "null"]

    private static func orNull(_ schema: JSONValue) -> JSONValue {
        .object((schema.objectValue ?? [:]).merging(["type": ["string", "null"]]) { $1 })
    }

    private static let form: JSONValue = [
        "type": "object",
        "properties": [
            "nonce": nonce, "repo_url": repository, "ref": ref, "repo_ref": ref, "source_name": sourceName,
            "source": [
                "type": "string", "contentMediaType": "application/octet-stream", "minLength": 1,
                "description": "The archive, with its file name.",
            ],
        ],
        "required": ["nonce"], "oneOf": [["required": ["repo_url"]], ["required": ["source"]]],
        "dependentRequired": ["repo_ref": ["repo_url"], "ref": ["repo_url"]], "not": ["required": ["ref", "repo_ref"]],
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
            "started_at": [
                "type": "string", "format": "date-time", "description": "When the latest attempt began.",
            ],
            "finished_at": ["type": "string", "format": "date-time", "description": "When the build ended."],
            "result_size": ["type": "integer", "minimum": 0, "description": "Bytes of the result."],
            "error": ["type": "string"], "error_type": ["enum": kinds],
        ],
        "required": ["job_id", "status", "events", "attempt", "created_at"],
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
