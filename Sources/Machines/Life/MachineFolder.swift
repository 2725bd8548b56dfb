// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes
internal import Synchronization

/// The folder of one machine's state: its disk, its firmware's variables, its TPM. Nobody else may enter it, and it goes
/// with the machine.
package struct MachineFolder: Hashable, Sendable {
    /// Names of machines' folders begin so.
    static let prefix = "machine-"
    static let firstUser: UInt32 = 1_910_000_000
    static let scratch = "scratch.img"
    static let variables = "variables.fd"

    /// Absolute.
    let path: String
    /// Whose it is; `nil` where it is whoever runs this.
    let user: UInt32?

    /// The machine's own name, as in logs.
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Makes an empty one. As root, its owner is a user that has nothing else: beyond the ranges of systems, containers,
    /// directories (systemd, "Users, Groups, UIDs and GIDs") and builds.
    static func make(in parent: String) throws(MachineError) -> MachineFolder {
        try makeFolder(parent, mustBeNew: false)
        // A user is taken once a folder is theirs.
        return try making.withLock { (_) throws(MachineError) in
            let user: UInt32? = try geteuid() == 0 ? newUser(in: parent) : nil
            let folder = MachineFolder(
                path: "\(parent)/\(prefix)\(String(UInt64.random(in: 0 ... .max), radix: 36))", user: user)
            try makeFolder(folder.path, mustBeNew: true)
            try folder.give("")
            return folder
        }
    }

    private static let making = Mutex(())

    /// The first user of those drawn who has no machine in `parent`; `nil` where a hundred of them have one.
    package static func unusedUser(in parent: String, draw: () -> UInt32) -> UInt32? {
        let owners = ProcessTable.names(in: parent).filter { $0.hasPrefix(prefix) }.compactMap { name in
            owner(of: "\(parent)/\(name)")
        }
        for _ in 0..<100 {
            let user = draw()
            if !owners.contains(user) { return user }
        }
        return nil
    }

    private static func newUser(in parent: String) throws(MachineError) -> UInt32 {
        guard let user = unusedUser(in: parent, draw: { firstUser + UInt32.random(in: 0..<10_000_000) }) else {
            throw MachineError(.start, "every user that was drawn for a machine owns one in \(parent) already")
        }
        return user
    }

    private static func owner(of path: String) -> UInt32? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_uid : nil
    }

    /// As whom a machine's programs run: `nil` where it is whoever runs this.
    static func account(of user: UInt32?, _ kind: MachineKind) -> HostConfinement.Account? {
        user.map { HostConfinement.Account(user: $0, groups: MachineHost.deviceGroups(kind)) }
    }

    /// Makes the scratch disk: as large as wanted, and taking no room yet.
    func makeDisk(size: Int64) throws(MachineError) {
        let file = open("\(path)/\(Self.scratch)", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("make", "\(path)/\(Self.scratch)") }
        defer { close(file) }
        guard ftruncate(file, off_t(size)) == 0 else { throw Self.failure("make", "\(path)/\(Self.scratch)") }
        try give("/\(Self.scratch)")
    }

    /// Copies the firmware's pristine variables.
    func copyVariables(from source: String) throws(MachineError) {
        guard let bytes = FileManager.default.contents(atPath: source) else {
            throw MachineError(.unusable, "the firmware's variables, \(source), cannot be read (machine.firmware)")
        }
        let copy = "\(path)/\(Self.variables)"
        let file = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("make", copy) }
        defer { close(file) }
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Self.failure("write", copy) }
            rest = rest.dropFirst(count)
        }
        try give("/\(Self.variables)")
    }

    /// Gives all of a folder within to the machine's user.
    func giveAll(_ folder: String) throws(MachineError) {
        guard user != nil else { return }
        try give("/\(folder)")
        let names = FileManager.default.enumerator(atPath: "\(path)/\(folder)")?.compactMap { $0 as? String } ?? []
        for name in names { try give("/\(folder)/\(name)") }
    }

    /// Removes all of it; nothing uses it any more.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    private func give(_ name: String) throws(MachineError) {
        guard let user, lchown(path + name, user, user) != 0 else { return }
        throw Self.failure("give to the machine's user", path + name)
    }

    private static func makeFolder(_ path: String, mustBeNew: Bool) throws(MachineError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST && !mustBeNew else { throw failure("make", path) }
    }

    private static func failure(_ what: String, _ path: String) -> MachineError {
        MachineError(.start, "could not \(what) \(path): \(String(cString: strerror(errno)))")
    }
}
