// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

extension Image.Measure {
    private static let usual = UsualArguments.Names(
        flags: ["--json"],
        single: ["--guest-features", "--hypervisor", "--igvm", "--kernel", "--initrd", "--append", "--output"],
        repeated: ["--platform", "--firmware", "--vcpu-model", "--vcpus", "--reference-log", "--register"])

    /// Reads the usual arguments without ArgumentParser, which would be more work than measuring a firmware.
    ///
    /// Only what ArgumentParser would read the same way is read here. For anything else, this is `nil`, and ArgumentParser
    /// has its say.
    init?(usual arguments: [String]) {
        guard let given = UsualArguments(arguments, names: Self.usual), given.others.count <= 1 else { return nil }
        self.init()
        image = given.others.first
        platform = given.all("--platform")
        firmware = given.all("--firmware")
        vcpuModel = given.all("--vcpu-model")
        vcpus = given.all("--vcpus")
        guestFeatures = given["--guest-features"]
        hypervisor = given["--hypervisor"]
        igvm = given["--igvm"]
        kernel = given["--kernel"]
        initrd = given["--initrd"]
        append = given["--append"]
        referenceLog = given.all("--reference-log")
        register = given.all("--register")
        output = given["--output"]
        json = given.has("--json")
        guard (try? validate()) != nil else { return nil }
    }
}
