// SPDX-License-Identifier: Apache-2.0
internal import Evidence
internal import StrictJSON

/// The names of the TCG PC Client Platform Firmware Profile, section 10.
extension TCGEventLog {
    var inspected: [InspectedField] {
        [
            InspectedField("banks", .json(.array(banks.map { .string($0.description) }))),
            .list("events", events.enumerated().map { $0.element.inspected(number: $0.offset, banks: banks) }),
            InspectedField(
                "replayed registers", "what the registers hold if exactly this was measured",
                parts: banks.map { bank in
                    let values = replayedRegisters(of: bank).sorted { $0.key < $1.key }
                    return InspectedField(bank.description, parts: values.map { .bytes("\($0.key)", $0.value) })
                }),
        ]
    }

    /// EV_…, by number (section 10.4.1); `nil` for one that the profile does not name.
    static func name(ofType type: UInt32) -> String? { names[type] }

    private static let names: [UInt32: String] = [
        0x0: "EV_PREBOOT_CERT", 0x1: "EV_POST_CODE", 0x2: "EV_UNUSED", 0x3: "EV_NO_ACTION", 0x4: "EV_SEPARATOR",
        0x5: "EV_ACTION", 0x6: "EV_EVENT_TAG", 0x7: "EV_S_CRTM_CONTENTS", 0x8: "EV_S_CRTM_VERSION",
        0x9: "EV_CPU_MICROCODE", 0xA: "EV_PLATFORM_CONFIG_FLAGS", 0xB: "EV_TABLE_OF_DEVICES", 0xC: "EV_COMPACT_HASH",
        0xD: "EV_IPL", 0xE: "EV_IPL_PARTITION_DATA", 0xF: "EV_NONHOST_CODE", 0x10: "EV_NONHOST_CONFIG",
        0x11: "EV_NONHOST_INFO", 0x12: "EV_OMIT_BOOT_DEVICE_EVENTS", 0x13: "EV_POST_CODE2",
        0x8000_0001: "EV_EFI_VARIABLE_DRIVER_CONFIG", 0x8000_0002: "EV_EFI_VARIABLE_BOOT",
        0x8000_0003: "EV_EFI_BOOT_SERVICES_APPLICATION", 0x8000_0004: "EV_EFI_BOOT_SERVICES_DRIVER",
        0x8000_0005: "EV_EFI_RUNTIME_SERVICES_DRIVER", 0x8000_0006: "EV_EFI_GPT_EVENT", 0x8000_0007: "EV_EFI_ACTION",
        0x8000_0008: "EV_EFI_PLATFORM_FIRMWARE_BLOB", 0x8000_0009: "EV_EFI_HANDOFF_TABLES",
        0x8000_000A: "EV_EFI_PLATFORM_FIRMWARE_BLOB2", 0x8000_000B: "EV_EFI_HANDOFF_TABLES2",
        0x8000_000C: "EV_EFI_VARIABLE_BOOT2", 0x8000_000D: "EV_EFI_GPT_EVENT2", 0x8000_0010: "EV_EFI_HCRTM_EVENT",
        0x8000_00E0: "EV_EFI_VARIABLE_AUTHORITY", 0x8000_00E1: "EV_EFI_SPDM_FIRMWARE_BLOB",
        0x8000_00E2: "EV_EFI_SPDM_FIRMWARE_CONFIG", 0x8000_00E3: "EV_EFI_SPDM_DEVICE_POLICY",
        0x8000_00E4: "EV_EFI_SPDM_DEVICE_AUTHORITY",
    ]
}

extension TCGEventLog.Event {
    fileprivate func inspected(number: Int, banks: [TPMHashAlgorithm]) -> InspectedField {
        InspectedField(
            "\(number)",
            parts: [
                .number("register", register),
                .hex("EventType", type, TCGEventLog.name(ofType: type) ?? "no type that the profile names"),
                InspectedField("type name", TCGEventLog.name(ofType: type).map { .text($0) } ?? .absent),
                InspectedField(
                    "Digests",
                    parts: banks.compactMap { bank in digests[bank].map { .bytes(bank.description, $0) } }),
                .callerBytes("Event", content),
            ])
    }
}
