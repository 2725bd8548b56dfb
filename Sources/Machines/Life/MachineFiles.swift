// SPDX-License-Identifier: Apache-2.0
internal import Crypto
internal import Foundation
internal import Measurements

/// The files of image and firmware that one QEMU gets, open: its user may have no way to where they lie.
struct MachineFiles: Sendable {
    /// The machine's TPM as its own processes see it, from within its folder: that folder's name may be long, and lie
    /// where they may not enter.
    static let tpm = MachineTPM(folder: "tpm")

    private let paths: [String]
    /// In the order of ``paths``.
    let descriptors: [Int32]

    init(_ settings: MachineSettings) throws(MachineError) {
        paths = Self.names(settings.kind).map(settings.image.path) + [settings.firmware.code]
        var open: [Int32] = []
        do throws(MachineError) {
            for path in paths { open.append(try Self.open(path)) }
        } catch {
            for descriptor in open { Foundation.close(descriptor) }
            throw error
        }
        descriptors = open
    }

    /// QEMU has them, or does not want them.
    func close() { for descriptor in descriptors { Foundation.close(descriptor) } }

    /// The machine's command line; the monitor's descriptor comes after the files'.
    func command(_ settings: MachineSettings, _ folder: MachineFolder) throws(MachineError) -> QEMUCommand {
        QEMUCommand(
            program: settings.qemu, name: "cupel \(folder.path)", accelerator: settings.accelerator,
            cpuModel: settings.cpuModel, cpus: settings.cpus, memory: settings.memory, boot: boot(settings),
            guest: try Self.guest(settings),
            devices: MachineDevices(
                root: place(settings.image.path(ImageDescription.Name.root)), scratch: MachineFolder.scratch,
                network: settings.network),
            qmp: Int32(3 + descriptors.count))
    }

    private static func names(_ kind: MachineKind) -> [String] {
        switch kind {
        case .vtpm, .tdx: [ImageDescription.Name.root, ImageDescription.Name.unifiedKernel]
        case .snp: [ImageDescription.Name.root, ImageDescription.Name.kernel, ImageDescription.Name.initrd]
        }
    }

    private func boot(_ settings: MachineSettings) -> QEMUCommand.Boot {
        let (image, code) = (settings.image, place(settings.firmware.code))
        let unifiedKernel = place(image.path(ImageDescription.Name.unifiedKernel))
        return switch settings.kind {
        case .vtpm:
            .measured(
                code: code, variables: MachineFolder.variables, unifiedKernel: unifiedKernel, tpm: Self.tpm.socket)
        case .snp:
            .hashed(
                firmware: code, kernel: place(image.path(ImageDescription.Name.kernel)),
                initrd: place(image.path(ImageDescription.Name.initrd)), commandLine: image.description.commandLine)
        case .tdx: .unified(firmware: code, unifiedKernel: unifiedKernel)
        }
    }

    private static func guest(_ settings: MachineSettings) throws(MachineError) -> ConfidentialGuest? {
        guard settings.kind != .vtpm else { return nil }
        let path = settings.image.path("image.json")
        guard let description = FileManager.default.contents(atPath: path) else {
            throw MachineError(.unusable, "\(path) cannot be read")
        }
        return settings.kind == .snp
            ? .snp(hostData: Array(SHA256.hash(data: description)))
            : .tdx(configuration: Array(SHA384.hash(data: description)), quotes: MachineHost.quoteGeneration)
    }

    /// Where the new process finds an open file.
    private func place(_ path: String) -> String {
        "/proc/self/fd/\(3 + (paths.firstIndex(of: path) ?? 0))"
    }

    private static func open(_ path: String) throws(MachineError) -> Int32 {
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MachineError(.unusable, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard geteuid() != 0 || fstat(descriptor, &status) == 0 && status.st_mode & 0o004 != 0 else {
            Foundation.close(descriptor)
            throw MachineError(
                .unusable, "\(path) must be readable by the machine's own user: chmod a+r '\(path)'")
        }
        return descriptor
    }
}
