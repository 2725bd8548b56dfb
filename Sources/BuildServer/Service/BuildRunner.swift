// SPDX-License-Identifier: Apache-2.0
public import Builds
public import Storage

/// Runs one build to its end: every event but `complete` is the runner's to append.
///
/// Returns `nil` after a good build, whose result is then durable in its place in the data folder, and else why it
/// failed. Either way nothing of the build runs any more. `slot` counts from 0 and is this build's alone while it runs.
/// The task is cancelled when the grace period of a shutdown is over; the runner then returns a `CancelledError` soon.
public typealias BuildRunner =
    @Sendable (
        _ job: StoredJob, _ events: any BuildEventSink, _ slot: Int
    ) async -> BuildFailure?
