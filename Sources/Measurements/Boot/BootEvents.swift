// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// What firmware measures whatever it boots (TCG PC Client Platform Firmware Profile, sections 3.3.4 and 10.4).
enum BootEvents {
    static let application = Array("Calling EFI Application from Boot Option".utf8)
    /// Between what the firmware does for itself, and what it does for whom it boots.
    static let separator: [UInt8] = [0, 0, 0, 0]
    static let exits = [
        Array("Exit Boot Services Invocation".utf8), Array("Exit Boot Services Returned with Success".utf8),
    ]

    /// UEFI_VARIABLE_DATA of the variables that Secure Boot goes by, where no key is enrolled: SecureBoot is off, and the
    /// others are empty.
    static let secureBootVariables = [
        variable(global, "SecureBoot", [0]), variable(global, "PK", []), variable(global, "KEK", []),
        variable(security, "db", []), variable(security, "dbx", []),
    ]

    private static let global = FirmwareGUID(0x8be4_df61, 0x93ca, 0x11d2, 0xaa0d_00e0_9803_2b8c)
    private static let security = FirmwareGUID(0xd719_b2cb, 0x3d3a, 0x4596, 0xa3bc_dad0_0e67_656f)

    private static func variable(_ owner: FirmwareGUID, _ name: String, _ content: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(owner.bytes)
        writer.littleEndian(UInt64(name.utf16.count))
        writer.littleEndian(UInt64(content.count))
        for unit in name.utf16 { writer.littleEndian(unit) }
        writer.append(content)
        return writer.bytes
    }
}
