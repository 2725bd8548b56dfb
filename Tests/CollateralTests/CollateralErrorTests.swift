// SPDX-License-Identifier: Apache-2.0
import Testing

import Collateral

@Suite struct CollateralErrorTests {
    @Test func anErrorIsItsSentence() { #expect("\(CollateralError("no answer"))" == "no answer") }
}
