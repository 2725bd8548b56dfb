// SPDX-License-Identifier: Apache-2.0
import Foundation
import Machines
import Testing

@Suite(.enabled(if: TPMScene.isInstalled, "swtpm, swtpm-tools and tpm2-tools are not installed"))
struct TPMAuthorityTests {
    @Test func itIsMadeOnceAndItsKeyIsItsOwn() throws {
        let scene = try TPMScene()
        let certificate = try Data(contentsOf: URL(fileURLWithPath: scene.authority.certificatePath))
        _ = try TPMAuthority(folder: scene.authority.folder)
        #expect(try Data(contentsOf: URL(fileURLWithPath: scene.authority.certificatePath)) == certificate)
        #expect(scene.names("tpm-ca") == ["ca.pem", "key.pem"] && scene.names("") == ["tpm-ca"])
        var status = stat()
        #expect(stat(scene.folder + "/tpm-ca/key.pem", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(scene.folder + "/tpm-ca", &status) == 0 && status.st_mode & 0o777 == 0o700)
        let text = try scene.run(
            ["/usr/bin/openssl", "x509", "-in", "tpm-ca/ca.pem", "-noout", "-text"]
        ).output
        for wanted in ["CA:TRUE, pathlen:0", "Certificate Sign", "Cupel TPM CA"] { #expect(text.contains(wanted)) }
    }

    @Test func twoHaveDifferentNames() throws {
        let scene = try TPMScene()
        let other = try TPMAuthority(folder: scene.folder + "/other")
        let names = try [scene.authority, other].map {
            try scene.run(["/usr/bin/openssl", "x509", "-in", $0.certificatePath, "-noout", "-subject"]).output
        }
        #expect(names[0] != names[1])
    }

    /// Each: what is done to the folder, and a word of what is said.
    static let damages: [(String, String)] = [
        ("chmod 640 key.pem", "others can read its key"), ("rm key.pem", "cannot be read"),
        ("rm ca.pem", "its certificate cannot be read"), ("echo nonsense > ca.pem", "its certificate cannot be read"),
        ("echo nonsense > key.pem", "its key cannot be read"),
        ("openssl ecparam -name prime256v1 -genkey -noout -out key.pem", "is of another key"),
        // Ended, and no CA.
        (
            "openssl req -x509 -new -key key.pem -subj /CN=old -days 1 -out ca.pem -not_after 20200102000000Z "
                + "|| { openssl x509 -in ca.pem -signkey key.pem -days -1 -out old.pem && mv old.pem ca.pem; }",
            "not in force"
        ),
        (
            "printf '[req]\\ndistinguished_name=n\\n[n]\\n' > c && openssl req -x509 -config c -new -key key.pem "
                + "-subj /CN=leaf -addext basicConstraints=critical,CA:FALSE -out ca.pem",
            "not that of a CA"
        ),
    ]

    @Test(arguments: damages)
    func oneThatIsDamagedIsNotUsed(damage: String, words: String) throws {
        let scene = try TPMScene()
        #expect(try scene.run(["/bin/sh", "-c", "cd tpm-ca && { \(damage); }"]).status == 0)
        let error = #expect(throws: MachineError.self) { try TPMAuthority(folder: scene.authority.folder) }
        #expect(error?.code == .unusable && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aRelativeFolderIsRefused() {
        let error = #expect(throws: MachineError.self) { try TPMAuthority(folder: "tpm-ca") }
        #expect(error?.message.contains("absolute") == true)
    }
}
