// SPDX-License-Identifier: Apache-2.0
import Foundation
import Storage
import Testing

@Suite struct DataFolderTests {
    private let temporary: TemporaryFolder
    private var path: String { temporary.file("a/data") }

    init() throws { temporary = try TemporaryFolder() }

    @Test func onlyTheOwnerReadsAndBuildUsersPassThrough() throws {
        let folder = try DataFolder(path: path)
        _ = try folder.softwareKey { [UInt8](repeating: 7, count: 32) }
        let expected = ["": 0o711, "/jobs": 0o700, "/incoming": 0o700, "/workspaces": 0o711]
            .merging(["/lock": 0o600, "/software.key": 0o600]) { first, _ in first }
        for (name, permissions) in expected { #expect(try mode(of: path + name) == permissions, "\(name)") }
    }

    @Test func permissionsThatWereLoosenedAreMended() throws {
        var folder: DataFolder? = try DataFolder(path: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path + "/jobs")
        _ = folder.take()
        folder = try DataFolder(path: path)
        #expect(try mode(of: path + "/jobs") == 0o700)
        withExtendedLifetime(folder) {}
    }

    @Test func aSecondServerIsRefusedUntilTheFirstIsGone() async throws {
        var first: DataFolder? = try DataFolder(path: path)
        try write([1], to: path + "/incoming/upload")
        #expect(await code { _ = try DataFolder(path: path) } == .inUse)
        #expect(exists(path + "/incoming/upload"))
        withExtendedLifetime(first) {}
        first = nil
        #expect(await code { _ = try DataFolder(path: path) } == nil)
    }

    /// It may be the upload of an accepted job: recovery decides.
    @Test func whatWasBeingReceivedIsStillThere() throws {
        var folder: DataFolder? = try DataFolder(path: path)
        _ = folder.take()
        try write([1], to: path + "/incoming/upload")
        try write([1], to: path + "/jobs/kept")
        folder = try DataFolder(path: path)
        #expect(exists(path + "/incoming/upload") && exists(path + "/jobs/kept"))
        withExtendedLifetime(folder) {}
    }

    @Test func aPlaceThatIsNoFolderIsRefused() async throws {
        try write([], to: temporary.file("file"))
        #expect(await code { _ = try DataFolder(path: temporary.file("file")) } == .inputOutput)
    }

    @Test func theKeyIsMadeOnce() throws {
        let key = [UInt8](0..<32)
        var folder: DataFolder? = try DataFolder(path: path)
        #expect(try folder?.softwareKey { key } == key)
        #expect(try folder?.softwareKey { [UInt8](repeating: 9, count: 32) } == key)
        _ = folder.take()
        folder = try DataFolder(path: path)
        #expect(try folder?.softwareKey { [UInt8](repeating: 9, count: 32) } == key)
        #expect(try bytes(of: path + "/software.key") == key)
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func aKeyOfAnotherLengthIsRefusedAndLeftAlone(length: Int) async throws {
        let folder = try DataFolder(path: path)
        let found = [UInt8](repeating: 5, count: length)
        try write(found, to: path + "/software.key")
        #expect(await code { _ = try folder.softwareKey { [UInt8](repeating: 9, count: 32) } } == .corrupt)
        #expect(try bytes(of: path + "/software.key") == found)
    }

    @Test func aKeyThatCannotBeReadIsNotReplaced() async throws {
        let folder = try DataFolder(path: path)
        try FileManager.default.createDirectory(
            atPath: path + "/software.key", withIntermediateDirectories: false)
        var isMade = false
        let refusal = await code {
            _ = try folder.softwareKey {
                isMade = true
                return [UInt8](repeating: 9, count: 32)
            }
        }
        #expect(refusal == .inputOutput)
        #expect(!isMade)
    }

    @Test func removingTakesTheJobAndItsUpload() throws {
        let folder = try DataFolder(path: path)
        for number in 1...2 as ClosedRange<UInt64> {
            try FileManager.default.createDirectory(
                atPath: folder.folderPath(id(number)), withIntermediateDirectories: true)
            try write([1], to: folder.sourcePath(id(number)))
            try write([1], to: folder.incomingPath(id(number)))
        }
        folder.remove(id(1))
        #expect(!exists(folder.folderPath(id(1))) && !exists(folder.incomingPath(id(1))))
        #expect(exists(folder.sourcePath(id(2))) && exists(folder.incomingPath(id(2))))
        folder.remove(id(3))
    }
}
