// SPDX-License-Identifier: Apache-2.0

/// Finds the store paths that bytes name.
struct StoreReferences {
    /// From hash part to what is known of the path.
    private let known: [String: NixStorePath]
    private let prefix: [UInt8]

    /// - Parameter store: the folder of the store, as the bytes write it.
    init(known: some Sequence<NixStorePath>, store: String = NixStorePath.standardDirectory) {
        self.known = Dictionary(known.map { ($0.hash, $0) }) { first, _ in first }
        prefix = Array((store + "/").utf8)
    }

    /// Those of the known paths whose store and hash part stand somewhere in `bytes`.
    func find(in bytes: [UInt8]) -> Set<NixStorePath> {
        var found: Set<NixStorePath> = []
        let length = prefix.count + 32
        guard bytes.count >= length, let last = prefix.last else { return found }
        bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            for end in prefix.count - 1..<bytes.count - 32 where bytes[end] == last {
                let start = end + 1 - prefix.count
                guard bytes[start..<end].elementsEqual(prefix.dropLast()) else { continue }
                let hash = String(decoding: bytes[end + 1..<start + length], as: UTF8.self)
                if let path = known[hash] { found.insert(path) }
            }
        }
        return found
    }
}
