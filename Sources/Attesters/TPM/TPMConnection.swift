// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import CTSS2
internal import Evidence
internal import Synchronization

/// How a TPM is reached: the library that speaks to it, and the place.
public struct TPMPlace: Hashable, Sendable {
    /// In the words of the TCG's software stack: `device:/dev/tpmrm0`, `swtpm:path=/run/tpm.sock`.
    public let tcti: String
    let library: String

    /// The kernel's, with its resource manager.
    public static let device = "/dev/tpmrm0"

    public init(tcti: String = "device:\(Self.device)") { self.init(tcti: tcti, library: "libtss2-esys.so.0") }

    package init(tcti: String, library: String) {
        self.tcti = tcti
        self.library = library
    }
}

/// An open TPM. Whatever is loaded in it is flushed when the last reference is gone.
final class TPMConnection {
    private let tpm: OpaquePointer

    /// Throws `denied` where the software stack is missing, and `failed` where no TPM answers.
    private init(_ place: TPMPlace) throws(AttesterError) {
        var opened: OpaquePointer?
        var missing: UnsafePointer<CChar>?
        let code = ctss2_open(place.library, place.tcti, &opened, &missing)
        guard let opened else {
            throw code == UInt32(CTSS2_LIBRARY_MISSING)
                ? AttesterError(.denied, Self.libraryMissing(missing.map { String(cString: $0) } ?? "?"))
                : AttesterError(.failed, "no TPM answers at '\(place.tcti)': \(Self.words(for: code))")
        }
        tpm = opened
    }

    deinit { ctss2_close(tpm) }

    /// TPMs answer one at a time, and a device without a resource manager can be opened once.
    private static let turn = Mutex(())

    /// Opens the TPM for as long as `use` takes.
    static func with<Value: Sendable>(
        _ place: TPMPlace, _ use: (TPMConnection) throws(AttesterError) -> Value
    ) throws(AttesterError) -> Value {
        try turn.withLock { _ throws(AttesterError) in try use(try TPMConnection(place)) }
    }

    /// Whether there is an NV index or a persistent key of this handle.
    func has(_ handle: UInt32) throws(AttesterError) -> Bool {
        var found = false
        try check(ctss2_has(tpm, handle, &found), "say what it holds")
        return found
    }

    /// A whole NV index.
    func read(index: UInt32) throws(AttesterError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        var size = bytes.count
        try check(ctss2_nv_read(tpm, index, &bytes, &size), "give NV index 0x\(String(index, radix: 16))")
        return Array(bytes[..<size])
    }

    /// Quotes are made by this persistent key from now on.
    func use(key handle: UInt32) throws(AttesterError) {
        try check(ctss2_use_persistent(tpm, handle), "use the key 0x\(String(handle, radix: 16))")
    }

    /// Quotes are made from now on by a primary key of the endorsement hierarchy. The same template gives the same key
    /// for as long as the TPM keeps its endorsement seed.
    func makeKey(template: [UInt8]) throws(AttesterError) {
        try check(ctss2_create_primary(tpm, template, template.count), "make an attestation key")
    }

    /// The key that makes quotes.
    func publicKey() throws(AttesterError) -> TPMPublic {
        var bytes = [UInt8](repeating: 0, count: 2048)
        var size = bytes.count
        try check(ctss2_read_public(tpm, &bytes, &size), "give its attestation key")
        return try decoded { () throws(MalformedBytes) in try TPMPublic(decoding: Array(bytes[..<size])) }
    }

    /// The values of registers of the SHA-256 bank.
    func values(of registers: [Int]) throws(AttesterError) -> TPMPCRValues {
        let bank = TPMHashAlgorithm.sha256
        var bytes = [UInt8](repeating: 0, count: registers.count * bank.digestSize)
        var size = bytes.count
        let code = ctss2_read_registers(tpm, bank.rawValue, Self.bits(registers), &bytes, &size)
        try check(code, "give its registers")
        guard size == bytes.count else {
            throw AttesterError(.invalid, "the TPM gave \(size) bytes for \(registers.count) registers")
        }
        var values = TPMPCRValues()
        for (position, register) in registers.sorted().enumerated() {
            let start = position * bank.digestSize
            values[bank, register] = Array(bytes[start..<(start + bank.digestSize)])
        }
        return values
    }

    /// A quote over registers of the SHA-256 bank, and its signature, a TPMT_SIGNATURE.
    func quote(
        _ data: [UInt8], of registers: [Int]
    ) throws(AttesterError) -> (message: TPMAttest, signature: TPMSignature) {
        var quote = ctss2_quote()
        let bank = TPMHashAlgorithm.sha256.rawValue
        try check(ctss2_make_quote(tpm, data, data.count, bank, Self.bits(registers), &quote), "make a quote")
        let message = withUnsafeBytes(of: quote.message) { Array($0.prefix(quote.message_size)) }
        let signature = withUnsafeBytes(of: quote.signature) { Array($0.prefix(quote.signature_size)) }
        return try decoded { () throws(MalformedBytes) in
            (try TPMAttest(decoding: message), try TPMSignature(decoding: signature))
        }
    }

    private static func bits(_ registers: [Int]) -> UInt32 { registers.reduce(0) { $0 | 1 << UInt32($1) } }

    private func decoded<Value>(_ decode: () throws(MalformedBytes) -> Value) throws(AttesterError) -> Value {
        do {
            return try decode()
        } catch {
            throw AttesterError(.invalid, "the TPM's answer cannot be read: \(error)")
        }
    }

    private func check(_ code: UInt32, _ what: String) throws(AttesterError) {
        guard code != 0 else { return }
        throw AttesterError(.failed, "the TPM did not \(what): \(Self.words(for: code))")
    }

    private static func words(for code: UInt32) -> String {
        var text = [CChar](repeating: 0, count: 256)
        ctss2_describe(code, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func libraryMissing(_ name: String) -> String {
        "the TPM's software stack was not found (\(name)): "
            + "apt install libtss2-esys-3.0.2-0 libtss2-mu0 libtss2-tctildr0 libtss2-tcti-device0"
    }
}
