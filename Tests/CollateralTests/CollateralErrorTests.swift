// SPDX-License-Identifier: Apache-2.0
import Testing

import Collateral

@Suite struct CollateralErrorTests {
    @Test func anErrorIsItsSentence() { #expect("\(CollateralError(.busy, "no answer"))" == "no answer") }
}
