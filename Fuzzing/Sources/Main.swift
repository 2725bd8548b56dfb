// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// The decoder that this process feeds: libFuzzer has no arguments of ours, so the environment names it.
private let chosen: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        for target in FuzzTarget.all { print(target.name) }
        exit(name.isEmpty ? 0 : 2)
    }
    return target
}()

/// libFuzzer's start. With no `FUZZ_TARGET` it lists the targets and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafePointer<CInt>?, _: UnsafeRawPointer?) -> CInt {
    _ = chosen
    atexit { FileHandle.standardError.write(Data("accepted: \(accepted.load(ordering: .relaxed))\n".utf8)) }
    return 0
}

/// libFuzzer's door: one input. What is wrong ends the process (see ``expect(_:_:)``).
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.feed(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
