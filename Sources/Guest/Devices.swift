// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The devices that the kernel has found, as sysfs lists them (kernel, "Rules on how to access information in sysfs").
public struct Devices: Sendable {
    private let sys: String

    /// - Parameter sys: where sysfs is mounted; another folder in tests.
    public init(sys: String = "/sys") { self.sys = sys }

    /// The device file of the disk that the host has given this serial number, such as `/dev/vdb`.
    public func disk(serial: String) throws(GuestError) -> String {
        let found = names("block").filter { text("block/\($0)/serial") == serial }
        guard let name = found.first, found.count == 1 else {
            throw GuestError("one disk with the serial number '\(serial)' was expected, \(found.count) were found")
        }
        return "/dev/\(name)"
    }

    /// The network interface with this hardware address, such as `eth0`; `nil` where there is none.
    public func interface(address: String) throws(GuestError) -> String? {
        let found = names("class/net").filter { text("class/net/\($0)/address") == address }
        guard found.count <= 1 else {
            throw GuestError("\(found.count) network interfaces have the address \(address); one was expected")
        }
        return found.first
    }

    private func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(sys)/\(folder)")) ?? []).sorted()
    }

    private func text(_ file: String) -> String? {
        guard let bytes = FileManager.default.contents(atPath: "\(sys)/\(file)") else { return nil }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
