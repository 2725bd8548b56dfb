// SPDX-License-Identifier: Apache-2.0
import HTTPTypes

extension HTTPField.Name {
    /// `no` tells nginx to pass each event on at once.
    static let xAccelBuffering = named("X-Accel-Buffering", else: .cacheControl)
    static let idempotencyKey = named("Idempotency-Key", else: .eTag)
    static let lastEventID = named("Last-Event-ID", else: .range)

    /// The names above are valid; `other` is never used.
    private static func named(_ name: String, else other: Self) -> Self { .init(name) ?? other }
}
