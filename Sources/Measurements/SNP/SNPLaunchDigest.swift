// SPDX-License-Identifier: Apache-2.0
internal import Crypto

/// The launch digest as the firmware of AMD's secure processor computes it (AMD 56860, "SNP_LAUNCH_UPDATE",
/// PAGE_INFO): after each page, the SHA-384 of
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 48 | DIGEST_CUR, the digest before this page |
/// | 48 | 48 | CONTENTS, SHA-384 of the page; zero for pages that are not measured |
/// | 96 | 2 | LENGTH, 112 |
/// | 98 | 1 | PAGE_TYPE |
/// | 99 | 5 | IMI_PAGE, VMPL permissions, reserved: zero |
/// | 104 | 8 | GPA |
struct SNPLaunchDigest: Sendable {
    enum PageType: UInt8 {
        case normal = 1
        /// The state in which a processor starts.
        case saveArea = 2
        case zero = 3
        case unmeasured = 4
        case secrets = 5
        case cpuid = 6
    }

    /// Where save areas count as lying: all ones, within the 52 bits of an address.
    static let saveAreaAddress: UInt64 = 0xFFFF_FFFF_F000
    static let pageSize = 4096

    private var pageInfo = [UInt8](repeating: 0, count: 112)

    init() { pageInfo[96] = 112 }

    var value: [UInt8] { Array(pageInfo[..<48]) }

    /// Pages whose content is not measured.
    mutating func add(_ type: PageType, at address: UInt64, size: UInt64 = 4096) {
        for index in 48..<96 { pageInfo[index] = 0 }
        for page in stride(from: address, to: address + size, by: Self.pageSize) { chain(type, page) }
    }

    /// Whole pages of content.
    ///
    /// The digest of a page that is the same as the one before is not computed again: firmware has long stretches of
    /// nothing.
    mutating func add(_ type: PageType, at address: UInt64, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            for offset in stride(from: 0, to: bytes.count, by: Self.pageSize) {
                let page = UnsafeRawBufferPointer(rebasing: bytes[offset..<min(offset + Self.pageSize, bytes.count)])
                let last = UnsafeRawBufferPointer(rebasing: bytes[max(0, offset - Self.pageSize)..<offset])
                if offset == 0 || !Self.isSame(page, last) { setContents(page) }
                chain(type, address + UInt64(offset))
            }
        }
    }

    private static func isSame(_ page: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard page.count == other.count, page.count.isMultiple(of: 8) else { return false }
        for offset in stride(from: 0, to: page.count, by: 8)
        where page.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            != other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        {
            return false
        }
        return true
    }

    private mutating func setContents(_ page: UnsafeRawBufferPointer) {
        var hash = SHA384()
        hash.update(bufferPointer: page)
        hash.finalize().withUnsafeBytes { pageInfo.replaceSubrange(48..<96, with: $0) }
    }

    private mutating func chain(_ type: PageType, _ address: UInt64) {
        pageInfo[98] = type.rawValue
        for index in 0..<8 { pageInfo[104 + index] = UInt8(truncatingIfNeeded: address >> UInt64(8 * index)) }
        var hash = SHA384()
        pageInfo.withUnsafeBytes { hash.update(bufferPointer: $0) }
        hash.finalize().withUnsafeBytes { pageInfo.replaceSubrange(0..<48, with: $0) }
    }
}
