// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Builds
import ByteCoding
import Foundation
import StrictJSON
import Verification

/// The event stream of a build that somebody saved, as `curl` writes it.
enum EventsFile {
    /// Read to its end, piece by piece; `-` is standard input. Events of a type that is not known are passed over.
    static func read(_ path: String) throws -> SeenEvents {
        guard let file = path == "-" ? .standardInput : FileHandle(forReadingAtPath: path) else {
            throw CommandFailure("\(Console.plain(path)) could not be opened: \(String(cString: strerror(errno)))")
        }
        var parser = ServerSentEventParser()
        var stream = SeenEvents.Stream()
        var count = 0
        do {
            while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
                for text in try piece.withUnsafeBytes({ try parser.events(in: $0) }) {
                    count += 1
                    if let event = BuildEvent(json: try JSONValue(parsing: text)) { stream.take(event) }
                }
            }
        } catch let error as MalformedBytes {
            throw CommandFailure("\(Console.plain(path)) is no event stream: \(error)")
        } catch {
            throw CommandFailure("\(Console.plain(path)) could not be read")
        }
        guard count > 0 else {
            throw CommandFailure(
                "\(Console.plain(path)) holds no event", hint: "save one with: curl SERVER/build/ID/events > FILE")
        }
        return stream.seen
    }
}
