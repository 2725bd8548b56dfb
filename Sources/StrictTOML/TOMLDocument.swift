// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import StrictJSON

/// Reads TOML 1.1, and so 1.0 too, as the JSON of the same shape: tables as objects; dates, times, infinities and NaN as
/// strings (toml.io, "TOML v1.1.0").
///
/// Projects write these files, so that they must not end the service, however they are made: time and memory are
/// bounded by a multiple of the input's size.
package enum TOMLDocument {
    /// Tables, lists and parts of keys within each other.
    package static let maximumDepth = 64

    /// Throws at input that is no TOML, is larger than `limit` bytes, or is nested beyond ``maximumDepth``.
    ///
    /// - Parameter name: the file's name, for the error.
    package static func parse(
        _ bytes: [UInt8], name: String, limit: Int = 1 << 20
    ) throws(MalformedBytes) -> JSONValue {
        guard bytes.count <= limit else {
            throw MalformedBytes(format: name, offset: limit, reason: "more than \(limit) bytes")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw MalformedBytes(format: name, offset: 0, reason: "not UTF-8")
        }
        var reader = TOMLReader(bytes, name: name)
        return try reader.document()
    }
}
