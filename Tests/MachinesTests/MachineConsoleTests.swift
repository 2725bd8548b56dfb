// SPDX-License-Identifier: Apache-2.0
import Machines
import Testing

@Suite("A machine's console") struct MachineConsoleTests {
    private func console(_ text: String, isError: Bool = false) -> MachineConsole {
        let console = MachineConsole()
        Array(text.utf8).withUnsafeBytes { console.add($0, isError: isError) }
        return console
    }

    private func lines(_ console: MachineConsole) async -> [String] {
        var lines: [String] = []
        while let line = await console.next() { lines.append(line) }
        return lines
    }

    @Test("lines come without escapes and empty ones, the last without its end")
    func lines() async {
        let console = console("\u{1B}[2J\u{1B}[01;01Hone\r\n\r\n  \r\ntwo\u{7}\nthree")
        #expect(console.latest == ["one", "two\u{FFFD}", "three"])
        console.end()
        #expect(await lines(console) == ["one", "two\u{FFFD}", "three"])
    }

    @Test("what nobody reads is forgotten but for the latest")
    func bounded() async {
        let count = MachineConsole.waitingLines + 100
        let console = console((1...count).map { "line \($0)\n" }.joined())
        console.end()
        let lines = await lines(console)
        #expect(lines.count == MachineConsole.waitingLines)
        #expect(lines.last == "line \(count)")
        #expect(console.latest.count == MachineConsole.latestLines)
    }

    @Test("long lines are cut")
    func long() {
        let console = console(String(repeating: "x", count: 100_000) + "\nend")
        #expect(console.latest.first.map { $0.utf8.count < MachineConsole.lineLength + 10 } == true)
        #expect(console.lastWords.hasSuffix(" […] | end"))
    }

    @Test("a console that said nothing explains nothing")
    func empty() { #expect(console("").lastWords == "") }
}
