// SPDX-License-Identifier: Apache-2.0
import Foundation

enum FolderNames {
    /// The names in a folder, in no order. Throws at a name that is not UTF-8 rather than passing it over.
    static func list(_ folder: String) throws -> [String] {
        guard let stream = opendir(folder) else { throw unreadable(folder) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee)) {
                    String(validatingCString: $0)
                }
            }
            guard let name else {
                throw CommandFailure("\(Console.plain(folder)) holds a file whose name is not UTF-8")
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw unreadable(folder) }
        return names
    }

    private static func unreadable(_ folder: String) -> CommandFailure {
        CommandFailure("\(Console.plain(folder)) could not be read: \(String(cString: strerror(errno)))")
    }
}
