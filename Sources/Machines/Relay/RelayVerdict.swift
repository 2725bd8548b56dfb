// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// What a build in a machine comes to, from the news of it: the conversation with its agent, the machine's end, time.
/// A machine that ends may have said its last word already, and one that answers no more may be about to end: in both
/// cases the other news gets a moment to come.
struct RelayVerdict {
    enum News: Sendable {
        /// The conversation is over: the result is here, or the build failed.
        case settled(BuildFailure?)
        /// The agent answers no more.
        case broken(BuildFailure)
        case gone(MachineError)
        /// The deadline is over.
        case late
        /// So is the moment that there was to wait.
        case farewellOver
    }

    enum Step: Hashable {
        case goOn
        /// Wait for other news, but not for long.
        case waitAMoment
        case end(BuildFailure?)
    }

    private var gone: MachineError?
    private var broken: BuildFailure?
    /// For the message.
    let deadline: Duration

    init(deadline: Duration) { self.deadline = deadline }

    mutating func take(_ news: News) -> Step {
        switch news {
        case .settled(let failure): return .end(failure)
        case .late: return .end(timeout)
        case .gone(let error):
            if broken != nil { return .end(BuildFailure(error)) }
            gone = error
            return .waitAMoment
        case .broken(let failure):
            if let gone { return .end(BuildFailure(gone)) }
            broken = failure
            return .waitAMoment
        case .farewellOver:
            let failure = gone.map { BuildFailure($0) } ?? broken
            return failure.map { .end($0) } ?? .goOn
        }
    }

    private var timeout: BuildFailure {
        BuildFailure(
            .timeout,
            "the machine had not built after \(deadline.components.seconds) seconds, the sum of limits.fetch_seconds, "
                + "limits.build_seconds and what else there is to do")
    }
}
