// SPDX-License-Identifier: Apache-2.0
import Measurements
import Testing

@Suite struct ImageDescriptionTests {}
