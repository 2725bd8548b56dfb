// SPDX-License-Identifier: Apache-2.0
import Foundation
import Processes

/// Runs what waits for programs on a thread of its own, so that it keeps none of the tasks' threads waiting, and tells
/// it when its task is cancelled.
enum ImageThread {
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable (Cancellation) throws(ImageError) -> Value
    ) async throws(ImageError) -> Value {
        let cancellation: Cancellation
        do {
            cancellation = try Cancellation()
        } catch {
            throw ImageError(.host, error.message)
        }
        let result: Result<Value, ImageError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    do throws(ImageError) {
                        continuation.resume(returning: .success(try body(cancellation)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }
}
