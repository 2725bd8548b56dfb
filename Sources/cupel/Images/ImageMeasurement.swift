// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Measurements

/// The work of `cupel image measure`.
struct ImageMeasurement {
    /// No file for a platform was named.
    private struct NothingToMeasure: Error {
        let message: String
    }

    private let command: Image.Measure
    private let files: MeasuredFiles
    private let firmware: [(path: String, content: GuestFirmware)]
    private let registers: GivenRegisters

    init(_ command: Image.Measure) throws {
        self.command = command
        let other = command.igvm ?? command.firmware.first ?? ""
        files =
            try command.image.map { try MeasuredFiles(folder: $0) }
            ?? MeasuredFiles(named: other, kernel: command.kernel, initrd: command.initrd, append: command.append)
        firmware = try command.firmware.map { path in
            let bytes = try InputFile.read(path, limit: GuestFirmware.maximumSize)
            return (path, try MeasuredFiles.inWords(path) { try GuestFirmware(decoding: bytes) })
        }
        registers = try GivenRegisters(command.register, logs: command.referenceLog)
        for (path, content) in firmware where !Self.isMeasured(content) {
            throw CommandFailure(
                Console.plain("\(path) says nothing of SEV-SNP or TDX, so nothing is computed for it"),
                hint: "for SEV-SNP the AmdSev build of OVMF, for TDX IntelTdx; registers of a TPM need no firmware")
        }
    }

    /// One for each way of launching; two that report the same are one.
    func guests() throws -> [MeasuredGuest] {
        let measures: [(Platform, () throws -> [MeasuredGuest])] = [(.snp, snp), (.tdx, tdx), (.vtpm, vtpm)]
        let known = measures.map(\.0.rawValue)
        if let other = command.platform.first(where: { !known.contains($0) }) {
            throw CommandFailure(
                "there is no platform '\(Console.plain(other))' to compute for", hint: known.joined(separator: ", "))
        }
        var guests: [MeasuredGuest] = []
        var reasons: [String] = []
        for (platform, measure) in measures {
            let isNamed = command.platform.contains(platform.rawValue)
            guard isNamed || command.platform.isEmpty else { continue }
            do {
                guests += try measure()
            } catch let nothing as NothingToMeasure {
                if isNamed { throw MeasurementError("\(platform.rawValue): \(nothing.message)") }
            } catch let error as MeasurementError where !isNamed {
                reasons.append("\(platform.rawValue): not computed, as \(error.message)")
            }
        }
        guard !guests.isEmpty else {
            throw MeasurementError(
                reasons.isEmpty ? "no file that is named can be measured" : reasons.joined(separator: "; "))
        }
        try registers.check(used: Set(guests.map(\.image.platform)))
        try checkProcessors()
        for reason in reasons { Console.note(Console.plain(reason)) }
        return guests
    }

    /// Whether it says how SEV-SNP or TDX launches it. Where it does so wrongly, that is said when it is computed for.
    private static func isMeasured(_ firmware: GuestFirmware) -> Bool {
        do {
            if try SNPFirmware(firmware) != nil { return true }
            return try TDXFirmware(firmware) != nil
        } catch {
            return true
        }
    }

    // MARK: SEV-SNP

    /// Throws where processors are named, and there is nothing that measures them: the user expects them to count.
    private func checkProcessors() throws {
        let isWanted = command.platform.isEmpty || command.platform.contains(Platform.snp.rawValue)
        let hasFirmware = firmware.contains { (try? SNPFirmware($0.content)) != nil }
        guard command.igvm == nil, !(isWanted && hasFirmware) else { return }
        let options = [
            ("--vcpus", !command.vcpus.isEmpty), ("--vcpu-model", !command.vcpuModel.isEmpty),
            ("--guest-features", command.guestFeatures != nil), ("--hypervisor", command.hypervisor != nil),
        ]
        if let given = options.first(where: { $0.1 }) {
            throw CommandFailure(
                "\(given.0) is given, and nothing is computed for 'snp'",
                hint: "SEV-SNP alone measures processors: name firmware for it with --firmware")
        }
    }

    private func snp() throws -> [MeasuredGuest] {
        if let igvm = command.igvm { return [try snp(igvm: igvm)] }
        let found = try firmware.compactMap { path, content in
            try MeasuredFiles.inWords(path) { try SNPFirmware(content) }
        }
        guard !found.isEmpty else { throw NothingToMeasure(message: "no --firmware for it is named, and no --igvm") }
        let processors = try SNPProcessors(command)
        var guests: [MeasuredGuest] = []
        for firmware in found {
            let launch = try SNPLaunch(firmware: firmware, kernel: files.hashes, hypervisor: processors.hypervisor)
            for kind in processors.kinds {
                for count in processors.counts {
                    let value = launch.measurement(processors: count, kind: kind, features: processors.features)
                    let way = "\(count) \(count == 1 ? "processor" : "processors") of \(kind.name)"
                    guests.append(guest(.snp, ["MEASUREMENT": value], way))
                }
            }
        }
        if files.hashes == nil {
            Console.note("snp: no kernel is named, so the entry fits whatever this firmware starts")
        }
        var seen: Set<KnownImage> = []
        return guests.filter { seen.insert($0.image).inserted }
    }

    /// The entry has the file's name: no image is named beside it.
    private func snp(igvm path: String) throws -> MeasuredGuest {
        let bytes = try InputFile.read(path, limit: IGVMFile.maximumSize)
        let file = try MeasuredFiles.inWords(path) { try IGVMFile(decoding: bytes) }
        for count in try SNPProcessors.counts(command.vcpus) where count != file.processors {
            throw CommandFailure("the IGVM file is for \(file.processors) processors, not for \(count)")
        }
        let count = file.processors
        return guest(
            .snp, ["MEASUREMENT": try file.measurement()], "\(count) \(count == 1 ? "processor" : "processors")")
    }

    // MARK: TDX and TPM

    private func tdx() throws -> [MeasuredGuest] {
        guard let kernel = files.unifiedKernel else { throw NothingToMeasure(message: "it takes an image's folder") }
        let found = try firmware.compactMap { path, content in
            try MeasuredFiles.inWords(path) { try TDXFirmware(content) }
        }
        guard !found.isEmpty else { throw NothingToMeasure(message: "no --firmware for it is named") }
        let runtime = try MeasuredBoot(kernel).runtimeRegisters()
        return found.map { firmware in
            var values = registers.tdx
            values["MRTD"] = firmware.mrtd
            for (index, value) in runtime { values["RTMR\(index)"] = value }
            return guest(.tdx, values)
        }
    }

    private func vtpm() throws -> [MeasuredGuest] {
        guard let kernel = files.unifiedKernel else { throw NothingToMeasure(message: "it takes an image's folder") }
        let computed = try MeasuredBoot(kernel).platformRegisters
        try registers.reference(.tpm)?.check(computed)
        var values = registers.tpm
        for (index, value) in computed { values["PCR\(index)"] = value }
        return [guest(.vtpm, values)]
    }

    private func guest(_ platform: Platform, _ registers: [String: [UInt8]], _ way: String = "") -> MeasuredGuest {
        let image = KnownImage(
            platform: platform, name: files.name, version: files.version, registers: registers)
        return MeasuredGuest(image: image, way: way)
    }
}
