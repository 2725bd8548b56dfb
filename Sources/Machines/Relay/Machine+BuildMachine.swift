// SPDX-License-Identifier: Apache-2.0

extension Machine: BuildMachine {}
