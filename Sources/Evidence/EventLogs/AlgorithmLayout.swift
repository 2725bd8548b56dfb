// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Which digests the events of a crypto-agile log have (TCG PC Client Platform Firmware Profile, TCG_EfiSpecIdEvent).
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 16 | signature | "Spec ID Event03" and a zero |
/// | 16 | 4 | platformClass | |
/// | 20 | 4 | specVersionMinor, Major, errata, uintnSize | |
/// | 24 | 4 | numberOfAlgorithms | |
/// | 28 | 4 each | algorithmId, digestSize | |
/// | then | 1, n | vendorInfo | size and bytes |
struct AlgorithmLayout {
    private static let signature = Array("Spec ID Event03\0".utf8)
    private static let maximumAlgorithms: UInt32 = 16

    /// All declared algorithms; digests of those that are not known are skipped.
    private let sizes: [UInt16: Int]
    let banks: [TPMHashAlgorithm]

    /// `nil` where the log's first event declares nothing.
    init?(_ event: TCGEventLog.Event) throws(MalformedBytes) {
        guard event.type == TCGEventLog.noAction, event.content.starts(with: Self.signature) else { return nil }
        var cursor = ByteCursor(event.content, format: "TCG_EfiSpecIdEvent")
        _ = try cursor.bytes(0, 24, "signature to uintnSize")
        let count = try cursor.uint32(24, "numberOfAlgorithms")
        guard (1...Self.maximumAlgorithms).contains(count) else {
            throw cursor.malformed("numberOfAlgorithms", "\(count), expected 1 to \(Self.maximumAlgorithms)")
        }
        var sizes: [UInt16: Int] = [:]
        var banks: [TPMHashAlgorithm] = []
        for _ in 0..<count {
            let number = try cursor.uint16("algorithmId")
            let size = Int(try cursor.uint16("digestSize"))
            let known = TPMHashAlgorithm(rawValue: number)
            guard sizes.updateValue(size, forKey: number) == nil, known.map({ $0.digestSize == size }) ?? true else {
                throw cursor.malformed("digestSize", "\(size) for algorithm \(number), or the second one for it")
            }
            if let known { banks.append(known) }
        }
        _ = try cursor.bytes(Int(try cursor.uint8("vendorInfoSize")), "vendorInfo")
        try cursor.end()
        self.sizes = sizes
        self.banks = banks
    }

    func event(_ cursor: inout ByteCursor) throws(MalformedBytes) -> TCGEventLog.Event {
        let register = try cursor.uint32("PCRIndex")
        let type = try cursor.uint32("EventType")
        let count = try cursor.uint32("Digests.count")
        guard Int(count) == sizes.count else {
            throw cursor.malformed("Digests.count", "\(count), but \(sizes.count) algorithms are declared")
        }
        var digests: [TPMHashAlgorithm: [UInt8]] = [:]
        var seen: Set<UInt16> = []
        for _ in 0..<count {
            let number = try cursor.uint16("Digests.algorithmId")
            guard let size = sizes[number], seen.insert(number).inserted else {
                throw cursor.malformed("Digests.algorithmId", "\(number) is not declared, or stands twice")
            }
            let digest = try cursor.bytes(size, "Digests.digest")
            if let bank = TPMHashAlgorithm(rawValue: number) { digests[bank] = digest }
        }
        let content = try cursor.bytes(Int(try cursor.uint32("EventSize")), "Event")
        return TCGEventLog.Event(register: register, type: type, digests: digests, content: content)
    }
}
