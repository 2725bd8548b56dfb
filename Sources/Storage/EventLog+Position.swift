// SPDX-License-Identifier: Apache-2.0
import Builds
import NIOCore
import StrictJSON

extension EventLog {
    /// The place in line that the log says last, where that is its last event.
    var announcedPosition: Int? {
        let state = state
        guard state.count > 0, let start = try? offset(ofEvent: state.count - 1),
            let event = try? read(from: start, limit: state.length - start)
        else { return nil }
        let text = event.readableBytesView.dropFirst(Array("data: ".utf8).count)
        guard let json = try? JSONValue(parsing: Array(text)), case .queued(let position) = BuildEvent(json: json)
        else {
            return nil
        }
        return position
    }
}
