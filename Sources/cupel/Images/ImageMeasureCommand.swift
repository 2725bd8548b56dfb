// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Measurements
import StrictJSON
import Verification

extension Image {
    /// `cupel image measure`: what hardware will report of a guest, from files alone.
    struct Measure: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compute what hardware will report of a guest image.",
            discussion: """
                EXAMPLES:
                  cupel image measure image --output images.json
                  cupel image measure image --firmware OVMF.amdsev.fd --vcpus 2,4 --vcpu-model EPYC-Genoa
                  cupel image measure image --firmware OVMF.inteltdx.fd --reference-log ccel.bin
                  cupel image measure --firmware OVMF.amdsev.fd --kernel vmlinuz --initrd initrd --append 'a=b' --vcpus 1
                  cupel image measure --igvm guest.igvm
                  cupel verify result/project --images images.json

                Not everything follows from the image's files: PCR0 depends on the firmware and on the machine's memory
                and processors, PCR1 on the firmware's build, RTMR0 on memory, devices and ACPI tables too. They are left
                out, and so not compared, unless --register or --reference-log gives them. The log is of a machine that
                you started once, and you believe it.
                """)

        @Argument(help: ArgumentHelp("The image's folder.", valueName: "dir"), completion: .directory)
        var image: String?

        @Option(
            help: ArgumentHelp(
                "A platform: snp, tdx or vtpm; repeat it for more. (default: all that the files allow)",
                valueName: "name"))
        var platform: [String] = []

        @Option(
            help: ArgumentHelp(
                "The guest's firmware; repeat it for another. What it is for, it says itself.", valueName: "file"),
            completion: .file())
        var firmware: [String] = []

        @Option(
            help: ArgumentHelp(
                "QEMU's model of the processors, or a signature such as 0x800f12; repeat it. (default: EPYC-v4)",
                valueName: "name"))
        var vcpuModel: [String] = []

        @Option(
            help: ArgumentHelp("How many processors the guest has: 2, or 1,2,4 for each.", valueName: "numbers"))
        var vcpus: [String] = []

        @Option(
            help: ArgumentHelp(
                "SEV_FEATURES of the processors, hexadecimal. (default: 0x1)", valueName: "number"))
        var guestFeatures: String?

        @Option(
            help: ArgumentHelp("Who launches under SEV-SNP: qemu, ec2 or gce. (default: qemu)", valueName: "name"))
        var hypervisor: String?

        @Option(
            help: ArgumentHelp("An IGVM file, which SEV-SNP launches instead of firmware.", valueName: "file"),
            completion: .file())
        var igvm: String?

        @Option(
            help: ArgumentHelp("Without an image: the kernel, for SEV-SNP.", valueName: "file"), completion: .file())
        var kernel: String?

        @Option(help: ArgumentHelp("With --kernel: the initrd.", valueName: "file"), completion: .file())
        var initrd: String?

        @Option(help: ArgumentHelp("With --kernel: its command line.", valueName: "text"))
        var append: String?

        @Option(
            help: ArgumentHelp(
                "The event log of a machine that you started once; repeat it for another platform.", valueName: "file"),
            completion: .file())
        var referenceLog: [String] = []

        @Option(
            help: ArgumentHelp(
                "PCR0, PCR1 or RTMR0 and its value: RTMR0=00ff…; repeat it for more.", valueName: "name=hex"))
        var register: [String] = []

        @Option(
            help: ArgumentHelp(
                "Where to write the list, for 'cupel verify --images' and 'cupel measurements sign'.", valueName: "file"
            ),
            completion: .file())
        var output: String?

        @Flag(help: "Print the list as one JSON object.")
        var json = false

        func validate() throws {
            guard image == nil || kernel == nil else {
                throw ValidationError("--kernel is for measuring without an image: the image has its own")
            }
            guard kernel != nil || (initrd == nil && append == nil) else {
                throw ValidationError("--initrd and --append are for --kernel")
            }
            guard image != nil || !firmware.isEmpty || igvm != nil else {
                throw ValidationError("name an image's folder, or --firmware, or --igvm")
            }
            guard igvm == nil || isIGVMAlone else {
                throw ValidationError("an IGVM file holds firmware, kernel and processors itself: name it alone")
            }
        }

        /// With an image beside it, what the file holds would bear that image's name.
        private var isIGVMAlone: Bool {
            image == nil && firmware.isEmpty && kernel == nil && vcpuModel.isEmpty && guestFeatures == nil
                && hypervisor == nil
        }

        func run() async throws {
            let guests: [MeasuredGuest]
            do {
                guests = try ImageMeasurement(self).guests()
            } catch let error as MeasurementError {
                throw CommandFailure(error.message)
            }
            let list = MeasurementList.unsigned(guests.map(\.image))
            if let output { try InputFile.write(list + [0x0A], to: output) }
            if json {
                Console.print(try JSONValue(parsing: list))
            } else {
                Console.print(guests.map(\.text).joined(separator: "\n\n"))
            }
        }
    }
}
