// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

@Suite struct CargoSettingsTests {
    private func settings(_ lines: String) throws -> CargoSettings {
        let file = try ProjectSettings(parsing: Array("[cargo]\n\(lines)\n".utf8), toolchains: ["cargo"])
        return try CargoSettings(file.table(of: "cargo"))
    }

    @Test func withoutATableAReleaseIsBuilt() throws {
        #expect(CargoSettings().buildArguments == ["--release"])
        #expect(CargoSettings().targets.isEmpty)
        #expect(try settings("") == CargoSettings())
    }

    static let commands: [(String, [String])] = [
        ("profile = 'release'", ["--release"]),
        ("profile = 'dev'", ["--profile", "dev"]),
        ("profile = 'release-lto'", ["--profile", "release-lto"]),
        ("packages = ['a', 'b@1.2.3']", ["--release", "--package", "a", "--package", "b@1.2.3"]),
        ("features = ['x', 'a/y', 'c++20']", ["--release", "--features", "x,a/y,c++20"]),
        ("all-features = true", ["--release", "--all-features"]),
        ("all-features = false", ["--release"]),
        ("default-features = false", ["--release", "--no-default-features"]),
        ("default-features = true", ["--release"]),
        ("target = 'thumbv8m.main-none-eabi'", ["--release", "--target", "thumbv8m.main-none-eabi"]),
        ("arguments = ['--bins', '--lib']", ["--release", "--bins", "--lib"]),
        ("arguments = ['--bin', 'a', '--bin=b.c']", ["--release", "--bin", "a", "--bin", "b.c"]),
        ("arguments = ['--workspace', '--exclude=a']", ["--release", "--workspace", "--exclude", "a"]),
        (
            "arguments = ['--jobs', '2', '-vv', '--keep-going', '--ignore-rust-version']",
            ["--release", "--jobs", "2", "-vv", "--keep-going", "--ignore-rust-version"]
        ),
        (
            "target = 't'\nfeatures = ['x']\ndefault-features = false\nprofile = 'p'\npackages = ['a']\narguments = ['-v']",
            [
                "--profile", "p", "--target", "t", "--package", "a", "--features", "x", "--no-default-features", "-v",
            ]
        ),
    ]

    @Test(arguments: commands)
    func settingsBecomeArguments(_ lines: String, _ arguments: [String]) throws {
        #expect(try settings(lines).buildArguments == arguments)
    }

    @Test func theTargetsStandardLibraryIsAskedFor() throws {
        #expect(try settings("target = 'x86_64-unknown-linux-musl'").targets == ["x86_64-unknown-linux-musl"])
    }

    static let malformed: [(String, String)] = [
        ("'cargo.feature'; did you mean 'features'", "feature = ['x']"),
        ("'cargo.release'", "release = true"),
        ("'cargo.all_features'; did you mean 'all-features'", "all_features = true"),
        ("'cargo.x'", "[cargo.x]\ny = 1"),
        ("'cargo.all-features' must be a boolean (true or false), found 'yes'", "all-features = 'yes'"),
        ("'cargo.default-features' must be a boolean (true or false), found a number", "default-features = 0"),
        ("'cargo.features' must be an array", "features = 'x'"),
        ("'cargo.features' must be an array of at least one", "features = []"),
        ("'x' stands there twice", "features = ['x', 'x']"),
        ("'cargo.packages' must be a string between quotes, found an array", "packages = [['a']]"),
        ("'cargo.target' must be a string between quotes", "target = ['a', 'b']"),
        ("'cargo.profile' must be a string, found an empty one", "profile = ''"),
        ("'cargo.arguments' must be an array of strings", "arguments = '--bins'"),
    ]

    @Test(arguments: malformed)
    func whatIsNotDescribedIsRefused(_ reason: String, _ lines: String) throws {
        let failure = try #require(failure { _ = try settings(lines) })
        #expect(failure.kind == .source)
        #expect(failure.message.contains(reason), "\(failure.message)")
    }

    static let unsupported: [(String, String)] = [
        ("'cargo.packages'", "packages = ['--config']"),
        ("'cargo.packages'", "packages = ['../a']"),
        ("'cargo.packages'", "packages = ['file:///a']"),
        ("'cargo.packages'", "packages = ['a@']"),
        ("'cargo.packages'", "packages = ['a@1@2']"),
        ("'cargo.packages'", "packages = ['*']"),
        ("'cargo.features'", "features = ['x,y']"),
        ("'cargo.features'", "features = ['x y']"),
        ("'cargo.features'", "features = ['-x']"),
        ("'cargo.features'", "features = ['a/b/c']"),
        ("'cargo.features'", "features = ['/c']"),
        ("'cargo.features'", "features = ['dep:x']"),
        ("'cargo.target'", "target = './evil.json'"),
        ("'cargo.target'", "target = 'evil.json'"),
        ("'cargo.target'", "target = '../t'"),
        ("'cargo.target'", "target = '-t'"),
        ("'cargo.profile' must be 'dev'", "profile = 'debug'"),
        ("'cargo.profile'", "profile = 'a b'"),
        ("'cargo.profile'", "profile = '../x'"),
        ("'cargo.profile'", "profile = '-r'"),
        ("'cargo.profile'", "profile = '\(String(repeating: "a", count: 257))'"),
        ("'--workspace'", "arguments = ['--exclude', 'a']"),
        ("give --bin the name of a program", "arguments = ['--bin']"),
        ("give --bin the name of a program", "arguments = ['--bin', '--config']"),
        ("give --bin the name of a program", "arguments = ['--bin=']"),
        ("give --bin the name of a program", "arguments = ['--bin', '../a']"),
        ("give --jobs a number from 1 to 1024", "arguments = ['--jobs', '0']"),
        ("give --jobs a number", "arguments = ['--jobs=1025']"),
        ("give --jobs a number", "arguments = ['--jobs=-1']"),
        ("give --jobs a number", "arguments = ['--jobs=+1']"),
        ("give --jobs a number", "arguments = ['--jobs=01']"),
        ("give --jobs a number", "arguments = ['--jobs', '99999999999999999999']"),
        ("found '--bins'", "arguments = ['--bins=x']"),
        ("found '--Bins'", "arguments = ['--Bins']"),
        ("found ' --bins'", "arguments = [' --bins']"),
        ("found '--'", "arguments = ['--', '--bins']"),
        ("found 'app'", "arguments = ['app']"),
        ("found '--config'", "arguments = ['--config', 'build.rustc=\"x\"']"),
        ("found '--config'", "arguments = ['--config=x']"),
        ("found '-Zbuild-std'", "arguments = ['-Zbuild-std']"),
        ("found '--target-dir'", "arguments = ['--target-dir=/tmp']"),
        ("found '--message-format'", "arguments = ['--message-format=human']"),
        ("found '--examples'", "arguments = ['--examples']"),
        ("found '--all-targets'", "arguments = ['--all-targets']"),
        ("found '-j2'", "arguments = ['-j2']"),
        ("--bin VALUE, --bins, --exclude VALUE", "arguments = ['--timings']"),
        ("use the key 'features' instead", "arguments = ['--features', 'x']"),
        ("use the key 'features' instead", "arguments = ['--features=x']"),
        ("use the key 'profile' instead", "arguments = ['--release']"),
        ("use the key 'packages' instead", "arguments = ['-p', 'a']"),
        ("use the key 'target' instead", "arguments = ['--target=x']"),
        ("use the key 'directory' instead", "arguments = ['--manifest-path', 'a/Cargo.toml']"),
        ("use the key 'default-features' instead", "arguments = ['--no-default-features']"),
    ]

    @Test(arguments: unsupported)
    func valuesThatChangeTheBuildOtherwiseAreRefused(_ reason: String, _ lines: String) throws {
        let failure = try #require(failure { _ = try settings(lines) })
        #expect(failure.kind == .unsupportedToolchain)
        #expect(failure.message.contains(reason), "\(failure.message)")
    }
}
