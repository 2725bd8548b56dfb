// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

extension SNPReport {
    /// The report's 1,184 bytes, made of its fields.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        encodeIdentity(&writer)
        encodeMeasurements(&writer)
        encodePlatform(&writer)
        let r = signature[..<48].reversed()
        let s = signature[48...].reversed()
        writer.append(r)
        writer.zeros(24)
        writer.append(s)
        writer.zeros(24 + 368)
        return writer.bytes
    }

    private func encodeIdentity(_ writer: inout ByteWriter) {
        writer.littleEndian(version)
        writer.littleEndian(guestSVN)
        writer.littleEndian(policy.rawValue)
        writer.append(familyID + imageID)
        writer.littleEndian(vmpl)
        writer.littleEndian(signatureAlgorithm)
        writer.append(currentTCB.bytes)
        writer.littleEndian(platformInfo.rawValue)
        writer.littleEndian(flags.rawValue)
        writer.zeros(4)
    }

    private func encodeMeasurements(_ writer: inout ByteWriter) {
        writer.append(reportData + measurement + hostData + idKeyDigest + authorKeyDigest + reportID + reportIDMA)
    }

    private func encodePlatform(_ writer: inout ByteWriter) {
        writer.append(reportedTCB.bytes)
        writer.append(cpuid.map { [$0.family, $0.model, $0.stepping] } ?? [0, 0, 0])
        writer.zeros(21)
        writer.append(chipID + committedTCB.bytes)
        for firmware in [currentFirmware, committedFirmware] {
            writer.append([firmware.build, firmware.minor, firmware.major, 0])
        }
        writer.append(launchTCB.bytes)
        writer.littleEndian(mitigations?.launch ?? 0)
        writer.littleEndian(mitigations?.current ?? 0)
        writer.zeros(152)
    }
}
