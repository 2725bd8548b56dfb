// SPDX-License-Identifier: Apache-2.0
import Archives
import Testing

@Suite struct LinkMapTests {
    @Test(arguments: [
        ("l", "a", true), ("l", ".", true), ("l", "a/b/../..", true), ("l", "not/there", true), ("l", "..", false),
        ("l", "a/../..", false), ("l", "/etc", false), ("a/l", "..", true), ("a/l", "../..", false),
        ("a/l", "./../b/./../..", false), ("a/b/l", "../../x//y/", true),
    ])
    func lonelyLink(path: String, target: String, isInside: Bool) {
        var map = LinkMap()
        map.add(path, target: target)
        #expect(map.staysInside(path) == isInside)
    }

    @Test func linkThroughALinkIsFollowedAsAKernelDoes() {
        var map = LinkMap()
        map.add("p/q/up", target: "../..")
        map.add("p/q/out", target: "up/..")
        map.add("p/q/in", target: "up/p")
        map.add("p/absolute", target: "/etc")
        map.add("p/by-absolute", target: "absolute/x")
        #expect(map.staysInside("p/q/up"))
        #expect(!map.staysInside("p/q/out"))
        #expect(map.staysInside("p/q/in"))
        #expect(!map.staysInside("p/by-absolute"))
    }

    @Test func endlessLinksAreRefused() {
        var map = LinkMap()
        map.add("a", target: "b")
        map.add("b", target: "a")
        map.add("self", target: "self/x")
        map.add("long", target: "chain0")
        for index in 0..<30 { map.add("chain\(index)", target: "chain\(index + 1)") }
        #expect(!map.staysInside("a"))
        #expect(!map.staysInside("self"))
        #expect(map.staysInside("long"))
    }

    @Test func unknownLinkIsNotInside() {
        #expect(!LinkMap().staysInside("nowhere"))
    }
}
