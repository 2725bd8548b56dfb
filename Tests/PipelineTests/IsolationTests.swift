// SPDX-License-Identifier: Apache-2.0
import Pipeline
import Testing

@Suite struct IsolationTests {
    @Test(
        arguments: [
            ("sandbox", "software", "sandbox"), ("sandbox", "snp", "snp"), ("sandbox", "az-snp", "snp"),
            ("sandbox", "tdx", "tdx"), ("sandbox", "az-tdx", "tdx"), ("sandbox", "vtpm", "vtpm"),
            ("none", "software", "none"), ("none", "snp", "none"), ("none", "vtpm", "none"),
        ])
    func theMachineIsNamedWhereCommandsAreConfined(confinement: String, platform: String, name: String) {
        #expect(Isolation.name(confinement: confinement, platform: platform) == name)
    }
}
