// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

/// The list of store paths that artifacts name.
@Suite struct RuntimeStorePathsTests {
    private func record(_ byproduct: ResourceDescriptor) throws -> BuildRecord {
        var facts = Samples.facts()
        facts.byproducts = [byproduct]
        return try BuildRecord(try facts.statement())
    }

    @Test func theListIsReadBack() throws {
        let paths = ["/nix/store/a", "/nix/store/b"]
        #expect(try record(RuntimeStorePaths.byproduct(paths)).runtimeStorePaths == paths)
        #expect(try BuildRecord(Samples.facts().statement()).runtimeStorePaths.isEmpty)
    }

    static let others: [[String: JSONValue]] = [
        [:], ["paths": []], ["paths": [1]], ["paths": "/nix/store/a"], ["paths": ["/nix/store/c"]],
    ]

    @Test(arguments: others) func anotherListThanTheDigestsIsRefused(_ annotations: [String: JSONValue]) {
        var byproduct = RuntimeStorePaths.byproduct(["/nix/store/a"])
        byproduct.annotations = annotations
        #expect(throws: MalformedBytes.self) { try record(byproduct) }
    }
}
