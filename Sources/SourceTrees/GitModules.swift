// SPDX-License-Identifier: Apache-2.0
internal import Builds

/// The contents of a `.gitmodules` file (gitmodules(5)), as `git config -z --get-regexp` shows them.
struct GitModules {
    struct Module {
        var path: String?
        var url: String?
        /// `update = none`: git would leave the folder empty.
        var isLeftOut = false
    }

    private let modules: [String: Module]

    init(_ output: [UInt8]) {
        var modules: [String: Module] = [:]
        for record in output.split(separator: 0) {
            let parts = record.split(separator: 0x0A, maxSplits: 1).map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 2, let dot = parts[0].lastIndex(of: ".") else { continue }
            let name = String(parts[0][..<dot])
            switch parts[0][dot...] {
            case ".path": modules[name, default: Module()].path = parts[1]
            case ".url": modules[name, default: Module()].url = parts[1]
            case ".update": modules[name, default: Module()].isLeftOut = parts[1] == "none"
            default: break
            }
        }
        self.modules = modules
    }

    /// The module at `path`; `nil` where none names it.
    func module(at path: String) -> Module? {
        modules.sorted { $0.key < $1.key }.first { $0.value.path == path }?.value
    }

    /// A submodule's URL, where it starts with `./` or `../` relative to its parent's (git-submodule(1), "add").
    static func resolve(_ url: String, parent: GitURL) -> String {
        guard url.hasPrefix("./") || url.hasPrefix("../") else { return url }
        var base = parent.text
        while base.hasSuffix("/") { base.removeLast() }
        var rest = Substring(url)
        while true {
            if rest.hasPrefix("./") {
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("../") {
                rest = rest.dropFirst(3)
                guard let slash = base.utf8.lastIndex(of: UInt8(ascii: "/")) else { break }
                base = String(base[..<slash])
            } else {
                break
            }
        }
        return base + "/" + rest
    }
}
