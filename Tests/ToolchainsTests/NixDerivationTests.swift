// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Testing
import Toolchains

@Suite struct NixDerivationTests {
    /// Of Nix 2.8, for `<nix/fetchurl.nix>`.
    static let fetched = """
        Derive([("out","/nix/store/zfyxb644lcvmldf8mqh416qjgahv3sfw-x.tar.gz","sha256",\
        "bd23963e713838c9d69315962f556958edb6fa0a4bc0c42d0c7b6c4f81eed56c")],[],[],"builtin","builtin:fetchurl",[],\
        [("builder","builtin:fetchurl"),("executable",""),("impureEnvVars","http_proxy https_proxy ftp_proxy all_proxy \
        no_proxy"),("name","x.tar.gz"),("out","/nix/store/zfyxb644lcvmldf8mqh416qjgahv3sfw-x.tar.gz"),\
        ("outputHash","0v6mxs0lyv3v1hnw9h2b1bxbdvaqd5ajz5hmjgbcjf1qf4z9c8xx"),("outputHashAlgo","sha256"),\
        ("outputHashMode","flat"),("preferLocalBuild","1"),("system","builtin"),("unpack",""),\
        ("url","https://example.com/x.tar.gz"),("urls","https://example.com/x.tar.gz")])
        """
    static let fetchedPath = "/nix/store/h2yyyy3n173lfb1lvwvi9np77qq4pz75-x.tar.gz.drv"

    /// Of Nix 2.8: three outputs, two derivations and a source.
    static let built = #"""
        Derive([("dev","/nix/store/xkqkivln527r052hdzbwayrywdpmr1bk-b-dev","",""),("lib","/nix/store/1k0vvqrlqfmfnw00yp\#
        4zgjxdlblwcgs5-b-lib","",""),("out","/nix/store/c9as287h0f3vsn3395whaldx9d30dk17-b","","")],[("/nix/store/3hi8b\#
        jv7z7r5vf989qas8qk2qb6kk1pv-a.drv",["out"]),("/nix/store/h2yyyy3n173lfb1lvwvi9np77qq4pz75-x.tar.gz.drv",["out"]\#
        )],["/nix/store/f0ybdpl7wh779lczvcwpydyxdlyrhih8-a.nix"],"x86_64-linux","/bin/sh",["-c","cat /nix/store/2xgjxzr\#
        ysmirdirhp9bsmc6yal48fydg-a > $out"],[("builder","/bin/sh"),("dev","/nix/store/xkqkivln527r052hdzbwayrywdpmr1bk\#
        -b-dev"),("fetched","/nix/store/zfyxb644lcvmldf8mqh416qjgahv3sfw-x.tar.gz"),("lib","/nix/store/1k0vvqrlqfmfnw00\#
        yp4zgjxdlblwcgs5-b-lib"),("name","b"),("out","/nix/store/c9as287h0f3vsn3395whaldx9d30dk17-b"),("outputs","out d\#
        ev lib"),("src","/nix/store/f0ybdpl7wh779lczvcwpydyxdlyrhih8-a.nix"),("system","x86_64-linux")])
        """#
    static let builtPath = "/nix/store/vx2wdq6z2a26vg8fkqyn2l7gskska7ag-b.drv"

    /// Of Nix 2.8: escapes, and letters beyond ASCII.
    static let escaped =
        #"Derive([("out","/nix/store/2xgjxzrysmirdirhp9bsmc6yal48fydg-a","","")],[],[],"x86_64-linux","/bin/sh","#
        + #"["-c","echo \"hi\tthere\\\n\" > $out\r"],[("builder","/bin/sh"),("name","a"),"#
        + #"("out","/nix/store/2xgjxzrysmirdirhp9bsmc6yal48fydg-a"),("system","x86_64-linux"),("utf","é")])"#
    static let escapedPath = "/nix/store/3hi8bjv7z7r5vf989qas8qk2qb6kk1pv-a.drv"

    private func derivation(_ text: String, _ path: String) throws -> NixDerivation {
        try NixDerivation(parsing: Array(text.utf8), at: NixStorePath(path))
    }

    @Test func aDerivationThatFetchesIsRead() throws {
        let derivation = try derivation(Self.fetched, Self.fetchedPath)
        #expect(derivation.name == "x.tar.gz")
        #expect(derivation.fixedOutput?.mode == .flat)
        #expect(
            derivation.fixedOutput?.hash.hex == "bd23963e713838c9d69315962f556958edb6fa0a4bc0c42d0c7b6c4f81eed56c")
        #expect(derivation.outputs.map(\.path.description) == [derivation.environment["out"]])
        #expect(derivation.urls == ["https://example.com/x.tar.gz"])
        #expect(derivation.system == "builtin")
        #expect(derivation.builder == "builtin:fetchurl")
    }

    @Test func aDerivationThatBuildsIsRead() throws {
        let derivation = try derivation(Self.built, Self.builtPath)
        #expect(derivation.fixedOutput == nil)
        #expect(derivation.outputs.map(\.name) == ["dev", "lib", "out"])
        #expect(derivation.inputDerivations.map(\.path.description) == [Self.escapedPath, Self.fetchedPath])
        #expect(derivation.inputDerivations.map(\.outputs) == [["out"], ["out"]])
        #expect(derivation.inputSources.map(\.name) == ["a.nix"])
        #expect(derivation.urls.isEmpty)
    }

    @Test func escapesAreRead() throws {
        let derivation = try derivation(Self.escaped, Self.escapedPath)
        #expect(derivation.arguments == ["-c", "echo \"hi\tthere\\\n\" > $out\r"])
        #expect(derivation.environment["utf"] == "é")
    }

    @Test func everyBeginningIsRefused() throws {
        let path = try NixStorePath(Self.builtPath)
        let bytes = Array(Self.built.utf8)
        for length in bytes.indices {
            let kind = failureKind { _ = try NixDerivation(parsing: Array(bytes[..<length]), at: path) }
            #expect(kind == .unsupportedToolchain, "\(length) bytes")
        }
    }

    @Test func everyChangedByteIsRefused() throws {
        let path = try NixStorePath(Self.builtPath)
        var bytes = Array(Self.built.utf8)
        for offset in bytes.indices {
            bytes[offset] ^= 1
            #expect(failureKind { _ = try NixDerivation(parsing: bytes, at: path) } != nil, "byte \(offset)")
            bytes[offset] ^= 1
        }
    }

    @Test func aDerivationAtAnotherPathIsRefused() {
        let elsewhere = Self.fetchedPath.replacing("/h2", with: "/h3")
        #expect(failureKind { _ = try derivation(Self.fetched, elsewhere) } == .inputVerification)
        #expect(failureKind { _ = try derivation(Self.fetched, Self.escapedPath) } == .inputVerification)
    }

    /// What the text gives, wherever it stands: the kind of its failure is told from that of a wrong path by the other.
    private func ownPath(_ text: String, name: String = "a.drv") throws -> NixStorePath {
        try NixStorePath(ofText: Array(text.utf8), name: name, references: [])
    }

    private static let place = "/nix/store/2xgjxzrysmirdirhp9bsmc6yal48fydg-a"
    private static let digest = String(repeating: "ab", count: 32)

    private static let good = #"("out","\#(place)","","")"#

    private static func text(_ outputs: String, _ environment: String = "", middle: String = "[],[]") -> String {
        "Derive([\(outputs)],\(middle),\"x86_64-linux\",\"/bin/sh\",[],[\(environment)])"
    }

    @Test func aFixedOutputElsewhereIsRefused() throws {
        let text = Self.text(#"("out","\#(Self.place)","r:sha256","\#(Self.digest)")"#)
        let failure = failure { _ = try NixDerivation(parsing: Array(text.utf8), at: try ownPath(text)) }
        #expect(failure?.kind == .inputVerification)
        #expect(failure?.message.contains("the output of") == true)
    }

    static let refused: [(String, String)] = [
        ("no output", text("")),
        ("an open output", text(#"("out","","","")"#)),
        ("a floating output", text(#"("out","","r:sha256","")"#)),
        ("an impure output", text(#"("out","","r:sha256","impure")"#)),
        ("text", text(#"("out","\#(place)","text:sha256","\#(digest)")"#)),
        ("git", text(#"("out","\#(place)","git:sha1","\#(String(repeating: "ab", count: 20))")"#)),
        ("an unknown algorithm", text(#"("out","\#(place)","blake3","\#(digest)")"#)),
        ("a short hash", text(#"("out","\#(place)","sha256","abab")"#)),
        ("upper-case digits", text(#"("out","\#(place)","sha256","\#(digest.uppercased())")"#)),
        ("a hash of no algorithm", text(#"("out","\#(place)","","\#(digest)")"#)),
        ("a fixed output of another name", text(#"("dev","\#(place)","sha256","\#(digest)")"#)),
        (
            "two fixed outputs",
            text(#"("a","\#(place)","sha256","\#(digest)"),("out","\#(place)","sha256","\#(digest)")"#)
        ),
        ("outputs out of order", text(#"("out","\#(place)","",""),("dev","\#(place)","","")"#)),
        ("an output twice", text(#"("out","\#(place)","",""),("out","\#(place)","","")"#)),
        ("an output in another store", text(#"("out","/else/store/2xgjxzrysmirdirhp9bsmc6yal48fydg-a","","")"#)),
        ("an output with a path for a name", text(#"("../x","\#(place)","","")"#)),
        ("a variable twice", text(good, #"("a","1"),("a","2")"#)),
        ("variables out of order", text(good, #"("b","1"),("a","2")"#)),
        ("an unknown escape", text(good, #"("a","\x")"#)),
        ("a line end", text(good, "(\"a\",\"\n\")")),
        ("a zero", text(good, "(\"a\",\"\u{0}\")")),
        ("white space", text(good, #" ("a","1")"#)),
        ("a comma too many", text(#"("out","\#(place)","",""),"#)),
        ("a source that is no store path", text(good, middle: #"[],["/etc/passwd"]"#)),
        ("sources out of order", text(good, middle: #"[],["\#(place)b","\#(place)"]"#)),
        ("an input that is no derivation", text(good, middle: #"[("\#(place)",["out"])],[]"#)),
        ("an input without outputs", text(good, middle: #"[("\#(place).drv",[])],[]"#)),
        ("bytes after the end", text(good) + "\n"),
        ("another version", "DrvWithVersion(\"xp-dyn-drv\"," + text(good).dropFirst(7)),
        ("many elements", text(good, middle: "[" + String(repeating: "(", count: 70000) + "],[]")),
        ("many arguments", "Derive([],[],[],\"\",\"\",[" + String(repeating: "\"\",", count: 70000) + "\"\"],[])"),
    ]

    @Test(arguments: refused.indices)
    func otherTextIsRefused(_ index: Int) throws {
        let (what, text) = Self.refused[index]
        let path = try ownPath(text)
        let kind = failureKind { _ = try NixDerivation(parsing: Array(text.utf8), at: path) }
        #expect(kind == .unsupportedToolchain, "\(what)")
    }

    @Test func moreThanTheLargestSizeIsRefused() throws {
        let text = Self.text(Self.good, "(\"a\",\"" + String(repeating: "x", count: NixDerivation.maximumSize) + "\")")
        let path = try ownPath(text)
        #expect(failureKind { _ = try NixDerivation(parsing: Array(text.utf8), at: path) } == .unsupportedToolchain)
    }

    @Test func whatIsNotRefusedIsRead() throws {
        let text = Self.text(Self.good, #"("a","1"),("b","2")"#)
        #expect(try NixDerivation(parsing: Array(text.utf8), at: ownPath(text)).environment == ["a": "1", "b": "2"])
    }

    static let addresses: [(String, [String])] = [
        (#"("url","https://a.example/x")"#, ["https://a.example/x"]),
        (#"("urls","https://a.example/x  mirror://y\nhttps://a.example/x")"#, ["https://a.example/x", "mirror://y"]),
        (#"("__json","{\"urls\":[\"https://a.example/\",\"b\"]}")"#, ["https://a.example/", "b"]),
        (#"("__json","{\"url\":\"https://a.example/\",\"urls\":7}"),("url","ignored")"#, ["https://a.example/"]),
        (#"("__json","{")"#, []), ("", []),
    ]

    @Test(arguments: addresses.indices)
    func addressesAreReadFromTheEnvironment(_ index: Int) throws {
        let (environment, expected) = Self.addresses[index]
        let text = Self.text(Self.good, environment)
        #expect(try NixDerivation(parsing: Array(text.utf8), at: ownPath(text)).urls == expected)
    }

    @Test func bytesThatAreNoTextAreShown() throws {
        var bytes = Array(Self.text(Self.good, #"("a","?")"#).utf8)
        bytes[try #require(bytes.lastIndex(of: UInt8(ascii: "?")))] = 0xFF
        let path = try NixStorePath(ofText: bytes, name: "a.drv", references: [])
        #expect(try NixDerivation(parsing: bytes, at: path).environment["a"] == "\u{FFFD}")
    }

    /// Nix is given a store in a folder of ours, so that it needs no service and no rights.
    @Test(.enabled(if: TestNix.isInstalled, "nix is not installed"))
    func derivationsOfThisMachinesNixAreRead() throws {
        let project = try TestProject([
            "a.nix": #"""
            let
              fetch = attributes: import <nix/fetchurl.nix> ({ url = "https://a.example/x"; } // attributes);
              sha512 = "\#(String(repeating: "ab", count: 64))";
              sha1 = "\#(String(repeating: "cd", count: 20))";
              outputHash = "\#(Self.digest)";
              plain = attributes: derivation ({ name = "p"; system = "s"; builder = "/b"; } // attributes);
            in plain {
              outputs = [ "out" "a" "Z" ]; args = [ "\"\\\n\r\t\${}" "é" "" ]; src = ./a.nix;
              all = [
                (fetch { inherit sha512; }) (fetch { inherit sha1; name = "y"; }) (fetch { inherit sha512; unpack = true; })
                (plain { name = "q"; __structuredAttrs = true; urls = [ "https://a.example/z" ]; b.c = [ 1 2.5 null ]; })
                (plain { name = "r"; outputHashMode = "recursive"; outputHashAlgo = "sha256"; inherit outputHash; })
              ];
            }
            """#
        ])
        _ = try TestNix.output("nix-instantiate", ["--store", project.root + "/s", project.root + "/a.nix"])
        let folder = project.root + "/s/nix/store"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".drv") }
        #expect(names.count == 6)
        for name in names {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
            let derivation = try NixDerivation(parsing: bytes, at: NixStorePath("/nix/store/" + name))
            #expect((derivation.fixedOutput != nil) == (derivation.environment["outputHash"] != nil))
            if name.hasSuffix("-q.drv") { #expect(derivation.urls == ["https://a.example/z"]) }
            if name.hasSuffix("-p.drv") { #expect(derivation.inputDerivations.count == 5) }
        }
    }
}
