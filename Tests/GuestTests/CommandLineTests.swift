// SPDX-License-Identifier: Apache-2.0
import Guest
import Testing

@Suite struct CommandLineTests {
    @Test func theKeyOfTheDiskIsInNoArgument() {
        let arguments = ScratchDisk(device: "/dev/vdb").encryption
        #expect(arguments.joined(separator: " ").contains("--type plain --cipher aes-xts-plain64 --key-size 512"))
        #expect(arguments.contains("/proc/self/fd/3") && arguments.suffix(2) == ["/dev/vdb", "scratch"])
    }

    @Test func theFileSystemHasNoJournal() {
        #expect(ScratchDisk.fileSystem.joined(separator: " ").contains("-O ^has_journal"))
    }

    private static let connections = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 00000000:1F90 00000000:0000 0A 00000080:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
           1: 0F02000A:1F90 0202000A:C350 01 00000010:00000007 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
           2: 0F02000A:1F90 0202000A:C351 04 00000001:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
           3: 0F02000A:0050 0202000A:C352 01 000000FF:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0

        """

    @Test func whatPeersOfThePortHaveNotTakenIsCounted() {
        #expect(UnsentBytes.count(in: Self.connections, port: 8080) == 17)
        #expect(UnsentBytes.count(in: Self.connections, port: 1) == 0)
        #expect(UnsentBytes.count(in: "", port: 8080) == 0)
    }
}
