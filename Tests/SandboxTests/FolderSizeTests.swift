// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import Testing

@Suite("The size of a folder")
struct FolderSizeTests {
    private func size(after script: String) async throws -> (bytes: Int64, files: Int, isTooDeep: Bool) {
        var found: (bytes: Int64, files: Int, isTooDeep: Bool) = (0, 0, false)
        try await TestSandbox.run(.none) { test in
            let status = try await test.run(test.command(script)).status
            #expect(status == 0)
            let size = FolderSize(of: test.workspace.path(.output))
            found = (size.bytes, size.files, size.isTooDeep)
        }
        return found
    }

    @Test(
        "counts every entry once",
        arguments: [
            ("true", 0), ("touch a b; mkdir c; ln -s / c/d", 4), ("mkdir -p a/b/c", 3),
            ("d=$(printf '\\377'); mkdir \"$d\"; touch \"$d/x\" \"$d/y\"", 3),
            ("n=0; while [ $n -lt 500 ]; do mkdir 0123456789 o; cd -P ./0123456789; n=$((n + 1)); done", 1000),
            ("mkdir a; touch a/b; chmod 0 a", 2),
        ] as [(String, Int)])
    func files(script: String, count: Int) async throws {
        let size = try await size(after: script)
        #expect(size.files == count)
        #expect(!size.isTooDeep)
    }

    @Test("counts blocks on disk, not the size that a file claims")
    func bytes() async throws {
        let sparse = try await size(after: "truncate -s 1T a").bytes
        #expect(sparse < 1 << 20)
        let full = try await size(after: "head -c 3000000 /dev/zero > a").bytes
        #expect(full >= 3_000_000)
    }
}
