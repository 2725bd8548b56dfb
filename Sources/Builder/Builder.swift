// SPDX-License-Identifier: Apache-2.0

/// What the operator's settings make of this machine: where builds run, who vouches for it, and the pipeline of both.
public enum Builder {}
