// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Reads TOML 1.1, and so 1.0 too, as the JSON of the same shape (toml.io, "TOML v1.1.0").
///
/// Tables are objects. Whole numbers and floats are one kind, a double: beyond 2^53 digits are lost, beyond 64 bits the
/// number is refused. Dates, times, infinities and NaN are strings, as they stand in the input.
///
/// Projects write these files, so that they must not end the service, however they are made: time and memory are
/// bounded by a multiple of the input's size.
public enum TOMLDocument {
    /// Tables, lists and parts of keys within each other.
    public static let maximumDepth = 64

    /// Throws at input that is no TOML, is larger than `limit` bytes, or is nested beyond ``maximumDepth``; at the
    /// character zero, also where it is escaped; and at keys which differ only in how Unicode composes them.
    ///
    /// - Parameter name: the file's name, which the error starts with; the line follows it.
    public static func parse(
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
