// SPDX-License-Identifier: Apache-2.0

/// Kernel, initrd and command line as sections of one EFI program (UAPI Group, "Unified Kernel Image").
package enum KernelSections {
    package struct Section: Equatable {
        package let name: String
        /// The file that becomes the section.
        package let file: String
        /// Bytes of it.
        package let size: Int

        package init(name: String, file: String, size: Int) {
            self.name = name
            self.file = file
            self.size = size
        }
    }

    /// The options of `objcopy` that add the sections after those of the stub, none over another.
    package static func arguments(adding sections: [Section], to stub: EFIProgram) -> [String] {
        var end = stub.end
        return sections.flatMap { section in
            let start = (end + stub.alignment - 1) & ~(stub.alignment - 1)
            end = start + section.size
            return [
                "--add-section", "\(section.name)=\(section.file)", "--change-section-vma",
                "\(section.name)=0x\(String(stub.base + start, radix: 16))",
            ]
        }
    }

    /// The `.cmdline` section: the text and a zero, which the stub measures too.
    package static func commandLineBytes(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
}
