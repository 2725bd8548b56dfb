// SPDX-License-Identifier: Apache-2.0
import Machines
import Testing

@Suite("QEMU's command line") struct QEMUCommandTests {
    private func command(
        _ boot: QEMUCommand.Boot, guest: ConfidentialGuest? = nil, accelerator: Accelerator = .kvm, cpuModel: String,
        network: MachineNetwork = .user
    ) -> QEMUCommand {
        QEMUCommand(
            program: "/usr/bin/qemu-system-x86_64", name: "cupel /state/machine-1", accelerator: accelerator,
            cpuModel: cpuModel, cpus: 2, memory: 4 << 30, boot: boot, guest: guest,
            devices: MachineDevices(root: "/image/root.img", scratch: "scratch.img", network: network), qmp: 6)
    }

    /// As one would type it: an option and its value a line.
    private func lines(_ command: QEMUCommand) -> [String] {
        var lines: [String] = []
        for word in command.arguments.dropFirst() {
            if word.hasPrefix("-") || lines.isEmpty { lines.append(word) } else { lines[lines.count - 1] += " " + word }
        }
        return lines
    }

    private let sandbox =
        "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
    private let consoles = [
        "-chardev stdio,id=console,signal=off", "-serial chardev:console", "-chardev socket,id=qmp,fd=6",
        "-mon chardev=qmp,mode=control",
    ]
    private let confidentialDevices = [
        "-blockdev driver=raw,node-name=root,read-only=on,file.driver=file,file.filename=/image/root.img",
        "-device virtio-blk-pci,romfile=,disable-legacy=on,iommu_platform=on,drive=root,serial=cupel-root",
        "-blockdev driver=raw,node-name=scratch,read-only=off,file.driver=file,file.filename=scratch.img",
        "-device virtio-blk-pci,romfile=,disable-legacy=on,iommu_platform=on,drive=scratch,serial=cupel-scratch,"
            + "werror=report,rerror=report",
        "-netdev user,id=control,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:0-10.0.2.15:8080",
        "-device virtio-net-pci,romfile=,disable-legacy=on,iommu_platform=on,netdev=control,mac=52:54:00:c0:be:01",
        "-netdev user,id=outbound,ipv6=off,net=10.0.3.0/24,dhcpstart=10.0.3.15,dns=10.0.3.3",
        "-device virtio-net-pci,romfile=,disable-legacy=on,iommu_platform=on,netdev=outbound,mac=52:54:00:c0:be:02",
        "-device virtio-rng-pci,romfile=,disable-legacy=on,iommu_platform=on",
    ]
    private var devices: [String] {
        confidentialDevices.map { $0.replacing(",disable-legacy=on,iommu_platform=on", with: "") }
    }

    @Test("plain: OVMF with variables of its own, a TPM, the unified kernel image, and nothing appended to it")
    func plain() {
        let command = command(
            .measured(code: "/ovmf/code.fd", variables: "variables.fd", unifiedKernel: "/image/uki.efi", tpm: "tpm/s"),
            accelerator: .emulation, cpuModel: "max")
        #expect(command.arguments.first == "/usr/bin/qemu-system-x86_64")
        #expect(
            lines(command) == [
                "-name guest=cupel /state/machine-1", "-nodefaults", "-no-user-config", "-display none", "-no-reboot",
                sandbox, "-machine q35,smm=off", "-accel tcg,thread=multi", "-cpu max", "-smp 2", "-m 4096M",
                "-drive if=pflash,unit=0,format=raw,file=/ovmf/code.fd,readonly=on",
                "-drive if=pflash,unit=1,format=raw,file=variables.fd", "-chardev socket,id=tpm,path=tpm/s",
                "-tpmdev emulator,id=tpm,chardev=tpm", "-device tpm-crb,tpmdev=tpm", "-kernel /image/uki.efi",
            ] + consoles + devices)
    }

    @Test(
        "SEV-SNP: hashes of kernel, initrd and command line, the host's data, a named processor, no place for variables"
    )
    func snp() {
        let command = command(
            .hashed(
                firmware: "/ovmf/amdsev.fd", kernel: "/image/vmlinuz", initrd: "/image/initrd",
                commandLine: "console=ttyS0 a,b"),
            guest: .snp(hostData: [UInt8](0..<32)), cpuModel: "EPYC-v4")
        #expect(
            lines(command) == [
                "-name guest=cupel /state/machine-1", "-nodefaults", "-no-user-config", "-display none", "-no-reboot",
                sandbox,
                "-machine q35,confidential-guest-support=guest,memory-backend=ram,vmport=off,smm=off", "-accel kvm",
                "-cpu EPYC-v4", "-smp 2", "-m 4096M",
                "-object memory-backend-memfd,id=ram,size=4294967296,share=on,reserve=off",
                "-object sev-snp-guest,id=guest,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on,"
                    + "host-data=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "-bios /ovmf/amdsev.fd", "-kernel /image/vmlinuz", "-initrd /image/initrd",
                "-append console=ttyS0 a,b",
            ] + consoles + confidentialDevices)
    }

    @Test(
        "TDX: the configuration's digest, the quoting service, the unified kernel image",
        arguments: [
            (
                ConfidentialGuest.QuoteGeneration.unix(path: "/var/run/tdx-qgs/qgs.socket"),
                #"{"path":"/var/run/tdx-qgs/qgs.socket","type":"unix"}"#
            ), (.vsock(port: 4050), #"{"cid":"2","port":"4050","type":"vsock"}"#),
        ])
    func tdx(quotes: ConfidentialGuest.QuoteGeneration, json: String) {
        let command = command(
            .unified(firmware: "/ovmf/inteltdx.fd", unifiedKernel: "/image/uki.efi"),
            guest: .tdx(configuration: [UInt8](repeating: 0xFF, count: 48), quotes: quotes), cpuModel: "host")
        let digest = String(repeating: "/", count: 64)
        #expect(
            lines(command) == [
                "-name guest=cupel /state/machine-1", "-nodefaults", "-no-user-config", "-display none", "-no-reboot",
                sandbox,
                "-machine q35,confidential-guest-support=guest,memory-backend=ram,kernel-irqchip=split,smm=off,pic=off,"
                    + "hpet=off",
                "-accel kvm", "-cpu host", "-smp 2", "-m 4096M",
                "-object memory-backend-ram,id=ram,size=4294967296",
                #"-object {"id":"guest","mrconfigid":""# + digest
                    + #"","qom-type":"tdx-guest","quote-generation-socket":"#
                    + json + #","sept-ve-disable":true}"#,
                "-bios /ovmf/inteltdx.fd", "-kernel /image/uki.efi",
            ] + consoles + confidentialDevices)
    }

    @Test("without a network there is one card, that leads nowhere")
    func noNetwork() {
        let all = lines(
            command(.unified(firmware: "/f", unifiedKernel: "/k"), cpuModel: "host", network: .none))
        #expect(all.filter { $0.contains("netdev user") } == [devices[4]])
        #expect(all.filter { $0.contains("mac=") } == [devices[5]])
        #expect(devices[4].contains("restrict=on"))
    }

    @Test("a comma in a name or path is doubled, and ends no option")
    func commas() {
        let command = QEMUCommand(
            program: "/q", name: "a,b", accelerator: .kvm, cpuModel: "host", cpus: 1, memory: 1 << 30,
            boot: .measured(code: "/a,b/code", variables: "v", unifiedKernel: "/a,b/uki", tpm: "t"),
            devices: MachineDevices(root: "/a,b/root", scratch: "s", network: .none), qmp: 3)
        let all = lines(command)
        #expect(all.contains("-name guest=a,,b"))
        #expect(all.contains("-drive if=pflash,unit=0,format=raw,file=/a,,b/code,readonly=on"))
        #expect(
            all.contains(
                "-blockdev driver=raw,node-name=root,read-only=on,file.driver=file,file.filename=/a,,b/root"))
        #expect(all.contains("-kernel /a,b/uki"))
    }
}
