// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials

/// Times as provenance writes them: RFC 3339, UTC, whole seconds.
enum Timestamp {
    static var now: String { Date.now.formatted(.iso8601) }
}
