// SPDX-License-Identifier: Apache-2.0

/// How long jobs are kept after their end. Both hold where both are given.
public struct RetentionSettings: Hashable, Sendable {
    /// Seconds after its end for which a job is kept; 0 for ever.
    public var age = 0
    /// Bytes of all finished jobs together, of which the oldest go first; 0 for any number.
    public var size: Int64 = 0

    /// Keeps everything.
    public init() {}
}

/// How long a machine that builds once waits for others; it ends itself then.
public struct GuestPatience: Hashable, Sendable {
    /// Seconds for a build, from the start on; 0 for ever.
    public var build = 86400
    /// Seconds for somebody who fetches what came of it; 0 for ever.
    public var result = 3600

    /// The defaults alone.
    public init() {}
}

/// What one client may have at one time, and how clients are told apart.
public struct ClientSettings: Hashable, Sendable {
    /// Jobs that wait or run.
    public var jobs = 16
    /// Submissions in a minute.
    public var submissions = 60
    /// Open event streams and downloads.
    public var readers = 64
    /// The header in which trusted proxies name the client, or `none`.
    public var addressHeader = "none"
    /// Addresses and blocks of addresses whose header is believed, separated by spaces, or `none`.
    public var trustedProxies = "127.0.0.0/8 ::1"

    /// The defaults alone.
    public init() {}
}

/// What the machines are like in which builds run, where each gets one of its own.
public struct MachineChoices: Hashable, Sendable {
    /// The folder of the image that they boot, or `none`.
    public var image = "none"
    /// One of ``ConfigurationKey/machineKinds``.
    public var kind = "auto"
    /// A file, or `auto`.
    public var firmware = "auto"
    /// Processors of one machine.
    public var cpus = 2
    /// Bytes of one machine.
    public var memory: Int64 = 4 << 30
    /// Bytes of one machine's scratch disk.
    public var disk: Int64 = 32 << 30
    /// Machines that are booted before anybody asks for one.
    public var spare = 1
    /// Seconds that a machine may take to boot.
    public var bootSeconds = 180
    /// One of ``ConfigurationKey/machineNetworks``.
    public var network = "user"

    /// The defaults alone.
    public init() {}
}
