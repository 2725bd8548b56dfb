// SPDX-License-Identifier: Apache-2.0
import StrictJSON
import StrictTOML

extension Configuration.File {
    /// The names of all settings that stand in it, known or not, as ``ConfigurationKey/name`` spells them.
    public func settingNames() throws(ConfigurationError) -> [String] {
        let tables = try document().objectValue ?? [:]
        return tables.flatMap { name, value in value.objectValue?.keys.map { "\(name).\($0)" } ?? [name] }.sorted()
    }

    func document() throws(ConfigurationError) -> JSONValue {
        do {
            return try TOMLDocument.parse(Array(text.utf8), name: name)
        } catch {
            throw ConfigurationError("\(error)")
        }
    }
}
