// SPDX-License-Identifier: Apache-2.0

/// This release, as provenance and `cupel --version` name it.
public enum CupelVersion {
    public static let text = "0.1.0"
}
