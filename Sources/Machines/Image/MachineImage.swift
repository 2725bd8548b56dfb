// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
public import Measurements

/// An image's folder whose files are those that its `image.json` names.
///
/// This is against mistakes: a copy that broke off, files of two images in one folder. What a machine booted is not
/// believed for it; that shows its evidence.
public struct MachineImage: Hashable, Sendable {
    /// Its absolute path.
    public let folder: String
    public let description: ImageDescription

    /// Reads `image.json` and all files. Throws ``MachineError/Code/unusable`` where something is missing or another
    /// than `image.json` says.
    public init(folder: String) throws(MachineError) {
        let folder = URL(filePath: folder, directoryHint: .isDirectory).standardizedFileURL.path
        self.folder = folder
        description = try Self.describe(folder)
        for (name, expected) in description.files.sorted(by: { $0.key < $1.key }) {
            let found: ImageDescription.File
            do {
                found = try ImageFile.read(path(name))
            } catch {
                throw Self.unusable(folder, "\(error)")
            }
            guard found == expected else {
                throw Self.unusable(
                    folder,
                    "\(name) has \(found.size) bytes and the SHA-256 \(found.sha256), image.json names \(expected.size) "
                        + "bytes and \(expected.sha256)")
            }
        }
    }

    /// The path of one of ``ImageDescription/files``.
    public func path(_ name: String) -> String { "\(folder)/\(name)" }

    private static func describe(_ folder: String) throws(MachineError) -> ImageDescription {
        do {
            let bytes = try ImageFile.bytes("\(folder)/image.json", atMost: ImageDescription.maximumSize)
            return try ImageDescription(parsing: bytes)
        } catch {
            throw unusable(folder, "\(error)")
        }
    }

    private static func unusable(_ folder: String, _ reason: String) -> MachineError {
        MachineError(
            .unusable, "\(folder) is no image that can be used: \(reason); 'cupel image build' makes one")
    }
}
