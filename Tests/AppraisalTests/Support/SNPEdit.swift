// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON
import Testing

/// One edit of a sound scene.
struct SNPEdit: Sendable, CustomTestStringConvertible {
    let name: String
    var product = SNPProduct.milan
    var kind = SNPSigningFlags.SigningKey.vcek
    var codes: [Finding.Code] = []
    let change: @Sendable (inout SNPScene) throws -> Void

    var testDescription: String { name }

    init(
        _ name: String, _ product: SNPProduct = .milan, _ kind: SNPSigningFlags.SigningKey = .vcek,
        _ codes: [Finding.Code] = [], change: @escaping @Sendable (inout SNPScene) throws -> Void = { _ in }
    ) {
        self.name = name
        self.product = product
        self.kind = kind
        self.codes = codes
        self.change = change
    }

    func result() throws -> AppraisalResult {
        var scene = try SNPScene(product, kind)
        try change(&scene)
        return try scene.appraised()
    }
}

extension SNPScene {
    /// Lets an authority of its product end before now.
    mutating func expire(_ role: AMDAuthority.Role) {
        authorities = authorities.map { authority in
            guard authority.product == product, authority.role == role else { return authority }
            return AMDAuthority(
                product: authority.product, role: authority.role, name: authority.name, serial: authority.serial,
                validity: Validity(notBefore: 0, notAfter: Self.now - 1),
                certificateDigest: authority.certificateDigest, publicKeyInfo: authority.publicKeyInfo)
        }
    }
}
