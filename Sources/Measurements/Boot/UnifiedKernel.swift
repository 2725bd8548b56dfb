// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// Kernel, initrd and command line as one EFI program (UAPI Group, "Unified Kernel Image"), which begins with systemd's
/// stub.
public struct UnifiedKernel: Sendable {
    public let image: PortableExecutable
    /// Without the zero at its end.
    public let commandLine: String
    /// Of systemd's stub: 252.
    public let stubVersion: Int
    public let kernel: LinuxKernel
    /// The kernel as the stub hands it to the firmware.
    let innerImage: PortableExecutable

    /// Those that the stub measures, in the order in which it does (systemd 252, `src/fundamental/tpm-pcr.c`).
    static let measured = [".linux", ".osrel", ".cmdline", ".initrd"]
    /// Others that may be there: the stub's own, and the kernel's version.
    private static let unmeasured: Set = [
        ".text", ".rodata", ".data", ".bss", ".reloc", ".dynamic", ".rela", ".dynsym", ".dynstr", ".sbat", ".sdmagic",
        ".uname",
    ]

    /// Throws where a section is missing, stands there twice, or is one of whose measurement nothing is known; and where
    /// the command line is not one that the stub passes on as it is.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        image = try PortableExecutable(decoding: bytes)
        let names = image.sections.map(\.name)
        guard Set(names).count == names.count else { throw Self.malformed("", "two sections have one name") }
        let known = Self.unmeasured.union(Self.measured)
        if let other = names.first(where: { !known.contains($0) }) {
            throw Self.malformed(other, "no such section is known, so what the stub would do with it is not")
        }
        var contents: [String: [UInt8]] = [:]
        for name in Self.measured + [".sdmagic"] { contents[name] = try Self.content(name, of: image) }
        commandLine = try Self.commandLine(contents[".cmdline"] ?? [])
        stubVersion = try Self.stubVersion(contents[".sdmagic"] ?? [])
        kernel = try LinuxKernel(decoding: contents[".linux"] ?? [])
        innerImage = try PortableExecutable(decoding: contents[".linux"] ?? [])
    }

    /// A section that a unified kernel has.
    func content(_ name: String) -> [UInt8] {
        image.sections.first { $0.name == name }.map(image.content) ?? []
    }

    /// ``content(_:)`` of the kernel, to be compared with the file that it was made of.
    public var kernelBytes: [UInt8] { innerImage.bytes }
    public var initrdBytes: [UInt8] { content(".initrd") }

    private static func content(_ name: String, of image: PortableExecutable) throws(MalformedBytes) -> [UInt8] {
        guard let section = image.sections.first(where: { $0.name == name }) else { throw malformed(name, "missing") }
        guard section.size > 0, section.size <= section.content.count else {
            throw malformed(name, "\(section.size) bytes in memory, \(section.content.count) in the file")
        }
        return image.content(section)
    }

    /// The stub replaces what is not printable and cuts off spaces at the end: where there is neither, it does nothing.
    private static func commandLine(_ content: [UInt8]) throws(MalformedBytes) -> String {
        let text = content.last == 0 ? content.dropLast() : content[...]
        guard !text.isEmpty, text.last != 0x20, text.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw malformed(".cmdline", "expected printable ASCII, no space at its end, and one zero")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// "#### LoaderInfo: systemd-stub 252.39-1 ####".
    private static func stubVersion(_ content: [UInt8]) throws(MalformedBytes) -> Int {
        let mark = Array("#### LoaderInfo: systemd-stub ".utf8)
        let digits = content.dropFirst(mark.count).prefix { (0x30...0x39).contains($0) }
        guard content.starts(with: mark), let version = Int(String(decoding: digits, as: UTF8.self)) else {
            throw malformed(".sdmagic", "not the mark of systemd's stub")
        }
        return version
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "unified kernel", field: field, offset: 0, reason: reason)
    }
}
