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
           3: 0F02000A:1F90 0202000A:C353 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
           4: 0F02000A:1F90 0202000A:C354 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
           5: 0F02000A:1F90 0202000A:C355 08 00000000:00000000 00:00000000 00000000     0        0 5 1 0 100 0 0 10 0
           6: 0F02000A:0050 0202000A:C352 01 000000FF:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0

        """

    private static let connections6 = """
          sl  local_address                         remote_address                        st tx_queue rx_queue tr
           0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00
           1: 0000000000000000FFFF00000F02000A:1F90 0000000000000000FFFF00000202000A:C350 01 00000000:00000000 00

        """

    @Test func connectionsThatTheirPeersHaveNotClosedAreCounted() {
        #expect(OpenConnections.count(in: Self.connections, port: 8080) == 4)
        #expect(OpenConnections.count(in: Self.connections6, port: 8080) == 1)
        #expect(OpenConnections.count(in: Self.connections, port: 80) == 1)
        #expect(OpenConnections.count(in: Self.connections, port: 1) == 0)
        #expect(OpenConnections.count(in: "", port: 8080) == 0)
    }
}
