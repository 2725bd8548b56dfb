// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

/// The keys below `tdx`. Each is called as the property of ``Appraisal/TDXPolicy`` that it sets.
enum TDXKeys {
    private typealias Flag = WritableKeyPath<TDXPolicy, Bool> & Sendable

    private static let flags: [(name: String, path: any Flag)] = [
        ("acceptDebugGuestsUnsafely", \.acceptDebugGuestsUnsafely),
        ("acceptReservedAttributesUnsafely", \.acceptReservedAttributesUnsafely),
        ("requireSEPTVEDisable", \.requireSEPTVEDisable),
        ("acceptMigratable", \.acceptMigratable),
        ("acceptAnyServiceTDUnsafely", \.acceptAnyServiceTDUnsafely),
        ("acceptPerformanceCounters", \.acceptPerformanceCounters),
        ("acceptSupervisorKeys", \.acceptSupervisorKeys),
        ("acceptKeyLocker", \.acceptKeyLocker),
    ]

    private static let others = [
        "acceptedTCBStatuses", "acceptedAdvisories", "minimumTCBEvaluationDataNumber", "minimumTEETCBSVN",
        "acceptedMRSEAMs", "acceptAnyQEVendor", "acceptedServiceTDs", "mrConfigID", "mrOwner", "mrOwnerConfig", "rtmrs",
    ]

    static var known: [String] { flags.map(\.name) + others }

    static func policy(_ section: PolicyMembers) throws(PolicyError) -> TDXPolicy {
        var policy = TDXPolicy()
        for flag in flags {
            if let value = try section.flag(flag.name) { policy[keyPath: flag.path] = value }
        }
        try readTCB(section, into: &policy)
        policy.acceptedServiceTDs = try section.hexes("acceptedServiceTDs", count: 48) ?? []
        policy.mrConfigID = try section.hex("mrConfigID", count: 48)
        policy.mrOwner = try section.hex("mrOwner", count: 48)
        policy.mrOwnerConfig = try section.hex("mrOwnerConfig", count: 48)
        if let registers = try section.inner("rtmrs", known: (0...3).map { "RTMR\($0)" }) {
            for number in 0...3 { policy.rtmrs[number] = try registers.hex("RTMR\(number)", count: 48) }
        }
        return policy
    }

    private static func readTCB(_ section: PolicyMembers, into policy: inout TDXPolicy) throws(PolicyError) {
        let statuses = TCBStatus.allCases.filter { $0 != .revoked }
        if let names = try section.names("acceptedTCBStatuses", of: statuses.map(\.rawValue)) {
            policy.acceptedTCBStatuses = Set(names.compactMap { TCBStatus(rawValue: $0) })
        }
        policy.acceptedAdvisories = try section.texts("acceptedAdvisories").map { Set($0) }
        policy.minimumTCBEvaluationDataNumber = try section.number("minimumTCBEvaluationDataNumber", 0...1_000_000)
        policy.minimumTEETCBSVN = try section.hex("minimumTEETCBSVN", count: 16)
        policy.acceptedMRSEAMs = try section.hexes("acceptedMRSEAMs", count: 48)
        if try section.flag("acceptAnyQEVendor") == true { policy.qeVendorID = nil }
    }
}
