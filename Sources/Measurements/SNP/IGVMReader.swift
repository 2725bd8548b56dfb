// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Reads the variable header of an ``IGVMFile``: platforms first, then what prepares the guest, then directives.
struct IGVMReader {
    private(set) var directives: [IGVMFile.Directive] = []
    private(set) var statedDigest: [UInt8]?

    private let file: [UInt8]
    private let dataStart: Int
    private var cursor: ByteCursor
    /// The bit that stands for SEV-SNP in this file.
    private var mask: UInt32 = 0
    private var section = 0
    /// Bytes of the areas for parameters, by their index; removed when they are inserted.
    private var areas: [UInt32: UInt64] = [:]
    private var processors: Set<Int> = []

    private enum Kind: UInt32 {
        case supportedPlatform = 0x001
        case guestPolicy = 0x101
        case parameterArea = 0x301
        case pageData = 0x302
        case parameterInsert = 0x303
        case processorContext = 0x304
        case snpIDBlock = 0x30B
    }

    /// Parameters that the host writes into areas, memory that must be there, pages that are shared with the host: none
    /// of them is measured.
    private static let unmeasured: Set<UInt32> = [
        0x305, 0x307, 0x308, 0x309, 0x30A, 0x30C, 0x30D, 0x30E, 0x30F, 0x310, 0x311, 0x312, 0x313,
    ]
    private static let snp: UInt8 = 2
    private static let pageSize: UInt64 = 4096
    private static let largePageSize: UInt64 = 2 << 20
    /// Bytes of one area; more is refused.
    private static let maximumArea: UInt64 = 64 << 20
    /// Pages; more are refused.
    private static let maximumPages = 1 << 20

    init(_ file: [UInt8], _ header: Range<Int>) {
        self.file = file
        dataStart = header.upperBound
        cursor = ByteCursor(Array(file[header]), format: "IGVM file")
    }

    mutating func read() throws(MalformedBytes) {
        while cursor.remaining > 0 {
            let type = try cursor.uint32("type")
            let length = Int(try cursor.uint32("length"))
            let content = try cursor.bytes(length, "structure")
            guard try cursor.bytes(-length & 7, "padding").allSatisfy({ $0 == 0 }) else {
                throw cursor.malformed("padding", "must be zero")
            }
            try structure(type, content)
        }
        guard mask != 0 else { throw cursor.malformed("IGVM_VHT_SUPPORTED_PLATFORM", "none for SEV-SNP") }
        guard !processors.isEmpty else { throw cursor.malformed("IGVM_VHT_VP_CONTEXT", "none for SEV-SNP") }
    }

    private mutating func structure(_ type: UInt32, _ content: [UInt8]) throws(MalformedBytes) {
        guard type >> 31 == 0 else { return }  // it may be skipped
        let place = Int(max(type, 1) - 1) >> 8
        guard place >= section else { throw cursor.malformed("type", "a structure of an earlier part") }
        section = place
        var reader = ByteCursor(content, format: "IGVM file")
        switch Kind(rawValue: type) {
        case .supportedPlatform: try platform(&reader)
        case .guestPolicy: _ = try reader.bytes(0, 16, "IGVM_VHS_GUEST_POLICY")
        case .parameterArea: try parameterArea(&reader)
        case .pageData: try pageData(&reader)
        case .parameterInsert: try parameterInsert(&reader)
        case .processorContext: try processorContext(&reader)
        case .snpIDBlock: try idBlock(&reader)
        case nil:
            guard Self.unmeasured.contains(type) else {
                throw cursor.malformed("type", "0x\(String(type, radix: 16)): what it does is not known")
            }
            return
        }
        try reader.end()
    }

    private mutating func platform(_ reader: inout ByteCursor) throws(MalformedBytes) {
        let bit = try reader.uint32(0, "compatibility_mask")
        _ = try reader.uint8(4, "highest_vtl")
        let platform = try reader.uint8(5, "platform_type")
        let version = try reader.uint16(6, "platform_version")
        _ = try reader.uint64(8, "shared_gpa_boundary")
        guard bit.nonzeroBitCount == 1 else { throw reader.malformed("compatibility_mask", "not one bit") }
        guard platform == Self.snp else { return }
        guard mask == 0, version == 1 else {
            throw reader.malformed("platform_type", "SEV-SNP twice, or of version \(version)")
        }
        mask = bit
    }

    private mutating func parameterArea(_ reader: inout ByteCursor) throws(MalformedBytes) {
        let size = try reader.uint64(0, "number_of_bytes")
        let index = try reader.uint32(8, "parameter_area_index")
        _ = try reader.uint32(12, "file_offset")
        guard size.isMultiple(of: Self.pageSize), size <= Self.maximumArea,
            areas.updateValue(size, forKey: index) == nil
        else { throw reader.malformed("number_of_bytes", "\(size), or the area \(index) twice") }
    }

    private mutating func pageData(_ reader: inout ByteCursor) throws(MalformedBytes) {
        let address = try reader.uint64(0, "gpa")
        let platforms = try reader.uint32(8, "compatibility_mask")
        let offset = Int(try reader.uint32(12, "file_offset"))
        let flags = try reader.uint32(16, "flags")
        let type = try reader.uint16(20, "data_type")
        guard try reader.uint16(22, "reserved") == 0, flags & ~7 == 0 else {
            throw reader.malformed("flags", "bits that are not known")
        }
        guard platforms & mask != 0, flags & 4 == 0 else { return }  // another platform's, or shared with the host
        let size = flags & 1 == 0 ? Self.pageSize : Self.largePageSize
        guard address.isMultiple(of: size), address < 1 << 52 else {
            throw reader.malformed("gpa", "\(address) is not where a page can lie")
        }
        guard processors.isEmpty, directives.count < Self.maximumPages else {
            throw reader.malformed("gpa", Self.order)
        }
        let pageType = try Self.pageType(type, isUnmeasured: flags & 2 != 0, reader)
        let content = offset == 0 ? nil : try self.content(at: offset, Int(size), reader)
        for page in stride(from: 0, to: size, by: Int(Self.pageSize)) {
            let part = content.map { $0.lowerBound + Int(page)..<$0.lowerBound + Int(page + Self.pageSize) }
            directives.append(.page(pageType, address: address + page, content: part))
        }
    }

    private static let order = "pages after a processor's state, or too many: KVM launches the states last"

    /// Bytes of the file, after its headers.
    private func content(at offset: Int, _ size: Int, _ reader: ByteCursor) throws(MalformedBytes) -> Range<Int> {
        guard offset >= dataStart, offset <= file.count, size <= file.count - offset else {
            throw reader.malformed("file_offset", "\(size) bytes at \(offset) of \(file.count)")
        }
        return offset..<offset + size
    }

    private static func pageType(
        _ type: UInt16, isUnmeasured: Bool, _ reader: ByteCursor
    ) throws(MalformedBytes) -> SNPLaunchDigest.PageType {
        switch type {
        case 0: return isUnmeasured ? .unmeasured : .normal
        case 1: return .secrets
        case 2, 3: return .cpuid
        default: throw reader.malformed("data_type", "\(type), which is not known")
        }
    }

    private mutating func parameterInsert(_ reader: inout ByteCursor) throws(MalformedBytes) {
        let address = try reader.uint64(0, "gpa")
        let platforms = try reader.uint32(8, "compatibility_mask")
        let index = try reader.uint32(12, "parameter_area_index")
        guard platforms & mask != 0 else { return }
        guard let size = areas.removeValue(forKey: index), address.isMultiple(of: Self.pageSize), address < 1 << 52
        else {
            throw reader.malformed("parameter_area_index", "\(index) is no area, or was inserted before")
        }
        guard processors.isEmpty else { throw reader.malformed("gpa", Self.order) }
        if size > 0 { directives.append(.unmeasured(address: address, size: size)) }
    }

    private mutating func processorContext(_ reader: inout ByteCursor) throws(MalformedBytes) {
        let address = try reader.uint64(0, "gpa")
        let platforms = try reader.uint32(8, "compatibility_mask")
        let offset = Int(try reader.uint32(12, "file_offset"))
        let index = Int(try reader.uint16(16, "vp_index"))
        _ = try reader.uint16(18, "reserved")
        guard platforms & mask != 0 else { return }
        guard address == SNPLaunchDigest.saveAreaAddress else {
            throw reader.malformed("gpa", "KVM launches each save area at 0xfffffffff000, and nowhere else")
        }
        guard index == processors.count, processors.insert(index).inserted else {
            throw reader.malformed("vp_index", "\(index), expected \(processors.count)")
        }
        let content = try content(at: offset, Int(Self.pageSize), reader)
        directives.append(.saveArea(address: address, content: content, processor: index))
    }

    private mutating func idBlock(_ reader: inout ByteCursor) throws(MalformedBytes) {
        let platforms = try reader.uint32(0, "compatibility_mask")
        _ = try reader.bytes(4, 4, "author_key_enabled")
        let digest = try reader.bytes(8, 48, "ld")
        _ = try reader.bytes(56, reader.remaining, "the rest of IGVM_VHS_SNP_ID_BLOCK")
        guard platforms & mask != 0 else { return }
        guard statedDigest == nil else { throw reader.malformed("ld", "a second ID block for SEV-SNP") }
        statedDigest = digest
    }
}
