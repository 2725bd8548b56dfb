// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Foundation
import TestVectors
import Testing

@Suite struct AttesterChoiceTests {
    private static func software() throws(AttesterError) -> SoftwareAttester {
        try SoftwareAttester(privateKey: SoftwareAttester.generateKey())
    }

    /// A machine with nothing.
    private static func places(_ change: (inout HostPlaces) -> Void = { _ in }) -> HostPlaces {
        var places = HostPlaces()
        places.tsm = TSMFolder(path: "/nonexistent", make: { _ in ENOENT }, remove: { _ in ENOENT })
        places.sevGuest = "/nonexistent"
        places.tdxGuest = "/nonexistent"
        change(&places)
        return places
    }

    private static let noTPM = access(TPMPlace.device, F_OK) != 0

    @Test(arguments: ["sev_guest", "tdx_guest"])
    func aConfidentialMachineVouchesForItself(provider: String) throws {
        let kernel = try StandInKernel { $0.provider = provider }
        let places = Self.places { $0.tsm = kernel.folder }
        let platform = provider == "sev_guest" ? "snp" : "tdx"
        let choice = try #require(AttesterChoice(rawValue: platform))
        for found in [
            try AttesterChoice.automatic.builder(in: places, software: Self.software),
            try AttesterChoice.automatic.hardware(tcti: nil, in: places),
            try choice.builder(in: places, software: Self.software), try choice.hardware(tcti: nil, in: places),
        ] {
            #expect(found.attester.platform == platform && found.source == "configfs-tsm (\(provider))")
        }
        let error = #expect(throws: AttesterError.self) {
            try AttesterChoice.azureSNP.builder(in: places, software: Self.software)
        }
        #expect(error?.code == .absent, "what is named is not there")
    }

    @Test func aKeyServesWhereItIsAskedForWhateverThereIs() throws {
        let kernel = try StandInKernel()
        let places = Self.places { $0.tsm = kernel.folder }
        #expect(
            try AttesterChoice.software.builder(in: places, software: Self.software).attester.platform == "software")
        #expect(kernel.requests == 0)
    }

    @Test(.enabled(if: noTPM, "this machine has a TPM"))
    func withoutHardwareABuilderHasAKeyAndAUserIsTold() throws {
        let found = try AttesterChoice.automatic.builder(in: Self.places(), software: Self.software)
        #expect(found.attester.platform == "software")
        for choice in AttesterChoice.allCases where choice != .software {
            let error = #expect(throws: AttesterError.self) { try choice.hardware(tcti: nil, in: Self.places()) }
            #expect(error?.code == .absent, "\(choice)")
        }
    }

    /// A machine that is confidential and whose hardware cannot be asked is never taken for an ordinary one.
    @Test(
        arguments: [
            ("configfs-tsm is root's", EACCES, true, false),
            ("configfs-tsm is root's, and TDX is there", EACCES, false, true),
            ("TDX has its device alone", ENXIO, false, true),
        ])
    func aConfidentialMachineIsNotTakenForAnother(
        name: String, refusal: Int32, hasSEVGuest: Bool, hasTDXGuest: Bool
    ) throws {
        let kernel = try StandInKernel { $0.refusal = refusal }
        let device = try kernel.root.write([], to: "device")
        let places = Self.places {
            $0.tsm = kernel.folder
            if hasSEVGuest { $0.sevGuest = device }
            if hasTDXGuest { $0.tdxGuest = device }
        }
        let error = #expect(throws: AttesterError.self) {
            try AttesterChoice.automatic.builder(in: places, software: Self.software)
        }
        #expect(error?.code == .denied, "\(name)")
    }

    @Test func theDeviceOfSEVSNPServesWithoutConfigFS() throws {
        let kernel = try StandInKernel { $0.refusal = ENXIO }
        let device = try kernel.root.write([], to: "device")
        let places = Self.places {
            $0.tsm = kernel.folder
            $0.sevGuest = device
        }
        let found = try AttesterChoice.automatic.builder(in: places, software: Self.software)
        #expect(found.attester.platform == "snp" && found.source == device)
    }

    @Test func configFSOfAnotherUserMeansNothingWithoutAConfidentialMachine() throws {
        let kernel = try StandInKernel { $0.refusal = EACCES }
        let places = Self.places { $0.tsm = kernel.folder }
        let host = try HostAttesters(tcti: nil, in: places)
        #expect(host.confidential == nil && host.notes.first?.contains("run as root") == true)
    }

    @Test(.enabled(if: SoftwareTPM.isInstalled, "swtpm and tpm2-tools are not installed"))
    func aTPMIsTakenByAUserAndByNoBuilderUnlessNamed() throws {
        let tpm = try SoftwareTPM()
        let places = Self.places()
        try withExtendedLifetime(tpm) {
            #expect(try AttesterChoice.automatic.hardware(tcti: tpm.tcti, in: places).attester.platform == "vtpm")
            #expect(try AttesterChoice.vtpm.hardware(tcti: tpm.tcti, in: places).attester.platform == "vtpm")
            let named = try AttesterChoice.vtpm.builder(tcti: tpm.tcti, in: places, software: Self.software)
            #expect(named.attester.platform == "vtpm")
            let chosen = try AttesterChoice.automatic.builder(tcti: tpm.tcti, in: places, software: Self.software)
            #expect(chosen.attester.platform == "software")
        }
    }

    @Test(.enabled(if: SharedVectors.arePresent && SoftwareTPM.isInstalled, "swtpm or the shared vectors are absent"))
    func azuresTPMIsKnownByWhatItHolds() throws {
        let tpm = try SoftwareTPM()
        try tpm.define("0x01400001", try SharedVectors.bytes("azure-snp/az-snp-hcl-2048-no-vcek.hcl.bin"))
        let found = try withExtendedLifetime(tpm) {
            try AttesterChoice.automatic.builder(tcti: tpm.tcti, in: Self.places(), software: Self.software)
        }
        #expect(found.attester.platform == "az-snp")
    }
}
