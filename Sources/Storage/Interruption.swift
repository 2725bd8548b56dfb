// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Makes a system call again where a signal interrupted it.
package func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        guard result < 0, errno == EINTR else { return result }
    }
}
