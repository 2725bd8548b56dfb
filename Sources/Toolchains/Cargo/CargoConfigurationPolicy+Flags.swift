// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import StrictJSON

extension CargoConfigurationPolicy {
    /// Parts of a compiler flag that put another program, library set or file in place of the recorded ones.
    private static let forbiddenFlags = [
        "linker=", "fuse-ld", "ld-path", "sysroot", "codegen-backend", "-specs", "-wrapper", "dlltool=", "link-arg=-B",
        "link-args=-B", "-Zunpretty",
    ]

    /// Environment variables, or their beginnings, that change what runs, or what the provenance states as fixed.
    private static let forbiddenVariables = [
        "RUSTC", "RUSTDOC", "RUSTFLAGS", "RUSTUP", "RUST_TARGET_PATH", "CARGO", "LD_", "DYLD_", "GCC_", "COLLECT_",
        "COMPILER_PATH", "LIBRARY_PATH", "PATH=", "HOME=", "LANG=", "LC_", "TZ=", "SOURCE_DATE_EPOCH", "GIT_", "SSL_",
        "HTTP", "http", "ALL_PROXY", "all_proxy",
    ]

    /// Throws `UnsupportedToolchainError` for flags that replace the linker or parts of the toolchain.
    func checkFlags(_ value: JSONValue?, _ key: String) throws(BuildFailure) {
        guard let value else { return }
        let words = value.stringValue.map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
        guard let flags = words ?? value.arrayValue?.compactMap(\.stringValue) else {
            throw refused(key, "must be text or an array of texts")
        }
        for flag in flags {
            let isForbidden =
                flag.hasPrefix("@") || flag.hasPrefix("-B") || Self.forbiddenFlags.contains(where: flag.contains)
            if isForbidden { throw refused(key, "has the flag '\(flag)' that replaces a part of the toolchain") }
        }
    }

    func checkEnvironment(_ value: JSONValue) throws(BuildFailure) {
        for name in (value.objectValue ?? [:]).keys.sorted() {
            if Self.forbiddenVariables.contains(where: { (name + "=").hasPrefix($0) }) {
                throw refused("env.\(name)", "changes which programs run, or what the build records as fixed")
            }
        }
    }
}
