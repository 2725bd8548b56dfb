// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Machines
import StrictJSON
import Testing

@Suite("QEMU's monitor") struct QMPTests {
    private func messages(_ text: String) throws(MalformedBytes) -> [QMPMessage] {
        var lines = QMPLines()
        var bytes = Array(text.utf8)
        var messages: [QMPMessage] = []
        // However the bytes come.
        while !bytes.isEmpty {
            let piece = Array(bytes.prefix(7))
            bytes.removeFirst(piece.count)
            do {
                messages += try piece.withUnsafeBytes { try lines.messages(from: $0) }
            } catch let error as MalformedBytes {
                throw error
            } catch {}
        }
        return messages
    }

    @Test("each kind of message is told apart")
    func kinds() throws {
        let read = try messages(
            """
            {"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}\r
            {"return": {}, "id": 1}\r
            {"id": 2, "error": {"class": "GenericError", "desc": "no such thing"}}\r
            {"timestamp": {"seconds": 1796050939, "microseconds": 90894}, "event": "SHUTDOWN", "data": {"guest": true}}\r
            {"event": "STOP"}

            """)
        #expect(
            read == [
                .greeting, .success(id: 1, [:]), .failure(id: 2, "no such thing"),
                .event("SHUTDOWN", ["guest": true]), .event("STOP", [:]),
            ])
    }

    @Test(
        "what QEMU does not say is refused",
        arguments: [
            "{\"return\": {}}\n", "\"x\"\n", "{}\n", "{\"QMP\"\n", "{\"return\": {}, \"id\": \"1\"}\n", "{}{}\n",
        ])
    func malformed(text: String) { #expect(throws: MalformedBytes.self) { try messages(text) } }

    @Test("a line without an end is refused before it takes much memory")
    func endless() {
        var lines = QMPLines()
        let bytes = [UInt8](repeating: UInt8(ascii: " "), count: QMPLines.maximumLength + 1)
        #expect(throws: MalformedBytes.self) { try bytes.withUnsafeBytes { _ = try lines.messages(from: $0) } }
    }

    @Test("a command is one line")
    func command() {
        let line = QMPMessage.command("set_link", ["name": "outbound", "up": false], id: 3)
        #expect(
            String(decoding: line, as: UTF8.self)
                == "{\"arguments\":{\"name\":\"outbound\",\"up\":false},\"execute\":\"set_link\",\"id\":3}\n")
    }

    @Test("the port that leads to the agent is found, and no other")
    func port() {
        let table = """
            Hub -1 (outbound):\r
              Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
              TCP[ESTABLISHED]   14       10.0.3.15 48522   151.101.2.132   443     0     0\r
            Hub -1 (control):\r
              TCP[HOST_FORWARD]  13       127.0.0.1 43000       10.0.2.15  8081     0     0\r
              TCP[HOST_FORWARD]   3       127.0.0.1 43829       10.0.2.15  8080     0     0\r

            """
        #expect(ForwardedPort.find(in: table, to: "10.0.2.15:8080") == 43829)
        #expect(ForwardedPort.find(in: table, to: "10.0.2.15:80") == nil)
        #expect(ForwardedPort.find(in: "", to: "10.0.2.15:8080") == nil)
    }
}
