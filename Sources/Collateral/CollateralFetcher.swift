// SPDX-License-Identifier: Apache-2.0
package import Appraisal
import ByteCoding
import Foundation

/// Gets what evidence needs: from the cache while it is good, else from the vendors. Nothing is believed of what comes,
/// but that it is of what was asked for; appraisal decides.
public final class CollateralFetcher: Sendable {
    public struct Configuration: Sendable {
        public var addresses = VendorAddresses.vendors
        /// `nil` keeps nothing.
        public var cache: CollateralCache?
        /// Opens no connection.
        public var isOffline = false
        public var patience = Patience()
        /// Time for one attempt.
        public var attemptLimit = Duration.seconds(30)
        public var userAgent = "cupel"
        /// Seconds since 1970.
        public var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }
        public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
        /// 0 to 1.
        public var random: @Sendable () -> Double = { Double.random(in: 0...1) }
        /// Is told what is going on that is no error: one sentence, lower case, no full stop.
        public var onNote: @Sendable (String) -> Void = { _ in }

        public init() {}
    }

    let configuration: Configuration
    private let client: VendorClient

    /// Runs `body` with a fetcher; its connections are closed when `body` is done.
    public static func with<Result>(
        _ configuration: Configuration, _ body: (CollateralFetcher) async throws -> Result
    ) async throws -> Result {
        let fetcher = CollateralFetcher(configuration)
        do {
            let result = try await body(fetcher)
            await fetcher.client.shutdown()
            return result
        } catch {
            await fetcher.client.shutdown()
            throw error
        }
    }

    private init(_ configuration: Configuration) {
        self.configuration = configuration
        client = VendorClient(
            userAgent: configuration.userAgent, limit: configuration.attemptLimit, now: configuration.now)
    }

    /// What meets `need`. Throws where it is not to be had, with its name and its URL.
    package func obtain(_ need: CollateralNeed) async throws(CollateralError) -> CollateralSet {
        let resources = need.resources(configuration.addresses)
        switch need {
        case .providerCertificate:
            throw CollateralError(
                .unavailable,
                "\(need.name) is not at hand, and AMD gives it to the provider only: take it from the machine that attested"
            )
        case .tpmAuthorities:
            throw CollateralError(.unavailable, "\(need.name) are not at hand, and no service has them all")
        case .chipCertificate:
            return CollateralSet(amdCertificates: [try await first(of: resources, for: need).body])
        case .amdAuthorities:
            return try need.set(of: [try await first(of: resources, for: need)])
        case .amdRevocationList:
            return CollateralSet(amdRevocationLists: [try await first(of: resources, for: need).body])
        case .intel:
            var answers: [VendorAnswer] = []
            for resource in resources { answers.append(try await answer(resource, for: need)) }
            return try need.set(of: answers)
        }
    }

    /// What meets `need` and is in the cache, good now; `nil` where there is nothing of it.
    package func cached(_ need: CollateralNeed) -> CollateralSet? {
        let resources = need.resources(configuration.addresses)
        let answers = resources.compactMap { resource in
            if case .good(let answer) = kept(resource) { answer } else { nil }
        }
        guard !answers.isEmpty, need.isChoice || answers.count == resources.count else { return nil }
        return try? need.set(of: need.isChoice ? [answers[0]] : answers)
    }

    /// The first that is there; what is not passes to the next.
    private func first(
        of resources: [VendorResource], for need: CollateralNeed
    ) async throws(CollateralError) -> VendorAnswer {
        for resource in resources {
            if case .good(let answer) = kept(resource) { return answer }
        }
        var missing: CollateralError?
        for resource in resources {
            do throws(CollateralError) {
                return try await answer(resource, for: need)
            } catch {
                guard error.code == .unavailable else { throw error }
                missing = error
            }
        }
        throw missing ?? CollateralError(.unavailable, "\(need.name) is served by nobody")
    }

    private func answer(
        _ resource: VendorResource, for need: CollateralNeed
    ) async throws(CollateralError) -> VendorAnswer {
        let state = kept(resource)
        if case .good(let answer) = state { return answer }
        guard !configuration.isOffline else {
            throw CollateralError(
                .offline,
                "\(need.name) is not at hand: \(state.description), and --offline forbids to get \(resource.url)")
        }
        let answer = try await download(resource, for: need)
        do throws(CollateralError) {
            try configuration.cache?.store(answer, for: resource.url)
        } catch {
            configuration.onNote("fetched collateral is not kept: \(error.message)")
        }
        return answer
    }

    private func download(
        _ resource: VendorResource, for need: CollateralNeed
    ) async throws(CollateralError) -> VendorAnswer {
        var failures = 0
        while true {
            do throws(CollateralError) {
                let answer = try await client.get(resource)
                try check(answer, resource)
                return answer
            } catch {
                failures += 1
                let delay = configuration.patience.delay(
                    failures: failures, retryAfter: error.retryAfter, random: configuration.random())
                guard error.isTransient, let delay else { throw error.about(need) }
                configuration.onNote("\(error.message); trying again in \(delay.components.seconds) s")
                try await pause(delay)
            }
        }
    }

    private func pause(_ delay: Duration) async throws(CollateralError) {
        do {
            try await configuration.sleep(delay)
        } catch {
            throw CollateralError(.cancelled, "cancelled")
        }
    }

    private func check(_ answer: VendorAnswer, _ resource: VendorResource) throws(CollateralError) {
        do throws(MalformedBytes) {
            _ = try resource.expiry(of: answer)
        } catch {
            throw CollateralError(
                .malformedAnswer, "the answer is not what was asked for: \(error) (\(resource.url))")
        }
    }
}

extension CollateralFetcher {
    private enum Kept: CustomStringConvertible {
        case good(VendorAnswer)
        case expired(Int64)
        case absent

        var description: String {
            switch self {
            case .good: "it is in the cache"
            case .expired(let end): "what is in the cache was good until \(CivilTime(secondsSince1970: end).rfc3339)"
            case .absent: "it is not in the cache"
            }
        }
    }

    /// What the cache has. It is looked at as closely as what comes from the network.
    private func kept(_ resource: VendorResource) -> Kept {
        guard let answer = configuration.cache?.answer(for: resource.url),
            let end = try? resource.expiry(of: answer)
        else { return .absent }
        return end >= configuration.now() ? .good(answer) : .expired(end)
    }
}

extension CollateralNeed {
    /// Whether one of several resources is enough.
    fileprivate var isChoice: Bool { if case .chipCertificate = self { true } else { false } }

    /// - Parameter answers: in the order of ``resources(_:)``.
    fileprivate func set(of answers: [VendorAnswer]) throws(CollateralError) -> CollateralSet {
        do throws(MalformedBytes) {
            switch self {
            case .chipCertificate: return CollateralSet(amdCertificates: answers.map(\.body))
            case .amdRevocationList: return CollateralSet(amdRevocationLists: answers.map(\.body))
            case .amdAuthorities:
                return CollateralSet(amdCertificates: try PEM.decode(answers[0].body, label: "CERTIFICATE"))
            case .intel:
                return CollateralSet(
                    intel: [
                        try IntelCollateral(
                            tcbInfoAnswer: answers[0].body, tcbInfoIssuerChain: answers[0].issuerChain,
                            qeIdentityAnswer: answers[1].body, qeIdentityIssuerChain: answers[1].issuerChain,
                            pckCRL: answers[2].body, pckCRLIssuerChain: answers[2].issuerChain,
                            rootCACRL: answers[3].body)
                    ])
            case .providerCertificate, .tpmAuthorities: return CollateralSet()
            }
        } catch {
            throw CollateralError(.malformedAnswer, "\(name) does not fit together: \(error)")
        }
    }
}

extension CollateralError {
    fileprivate func about(_ need: CollateralNeed) -> CollateralError {
        code == .cancelled
            ? self : CollateralError(code, "could not get \(need.name): \(message)", retryAfter: retryAfter)
    }
}
