// SPDX-License-Identifier: Apache-2.0
import Machines
import Testing

@Suite struct MachineErrorTests {}
