// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
public import Measurements
import Processes

/// Makes an image's folder.
///
/// The same recipe makes the same bytes, elsewhere and at another time. What the image is made of is the list's
/// packages; of this machine only mmdebstrap and what that runs has a hand in it.
public enum ImageBuild {
    /// Makes `output`, which may not be there yet. It appears when it is whole. `report` is told each step, one line.
    public static func run(
        _ recipe: ImageRecipe, output: String, report: @escaping @Sendable (String) -> Void
    ) async throws(ImageError) -> ImageDescription {
        try await ImageThread.run { (cancellation) throws(ImageError) in
            try make(recipe, output: output, cancellation: cancellation, report: report)
        }
    }

    private static func make(
        _ recipe: ImageRecipe, output: String, cancellation: Cancellation,
        report: @escaping @Sendable (String) -> Void
    ) throws(ImageError) -> ImageDescription {
        try ImagePlace.check(output)
        try ImagePlace.check(guest: recipe.guest)
        let work = try ImageFolder.makeOwn(in: recipe.temporaryFolder)
        defer { ImageFolder.remove(work) }
        let beside = try ImageFolder.makeOwn(in: ImagePlace.parent(of: output))
        defer { ImageFolder.remove(beside) }
        let workshop = ImageWorkshop(
            recipe: recipe, folder: work, output: beside,
            programs: ImagePrograms(folder: work, cancellation: cancellation), report: report)
        let description = try workshop.make()
        try ImagePlace.move(beside, to: output)
        return description
    }
}
