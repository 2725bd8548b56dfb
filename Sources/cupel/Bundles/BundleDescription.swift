// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Inspection
import StrictJSON

/// Provenance and evidence as text for people. Members that are missing are left out.
struct BundleDescription {
    let provenance: JSONValue
    let evidence: JSONValue
    /// The evidence, field by field.
    let decoded: InspectedFile?

    var text: String {
        let parts = [subjects, source, build, tools, phases, dependencies, byproducts]
        let texts = parts.filter { $0.lines.count > 0 }.map(\.text) + [evidenceText]
        return texts.joined(separator: "\n\n") + "\n\nthis is what the bundle says; 'cupel verify' checks it"
    }

    private struct Part {
        let title: String
        var lines: [String] = []

        var text: String { ([title] + lines.map { "  \(Console.plain($0))" }).joined(separator: "\n") }

        /// A line with a name and a value, where there is one.
        mutating func add(_ name: String, _ value: JSONValue?) {
            guard let value, value != .null else { return }
            let padding = String(repeating: " ", count: max(1, 16 - name.count))
            lines.append(name + padding + (value.stringValue ?? BundleDescription.json(value)))
        }
    }

    private var definition: JSONValue? { provenance["predicate"]?["buildDefinition"] }
    private var details: JSONValue? { provenance["predicate"]?["runDetails"] }

    private var subjects: Part {
        var part = Part(title: "artifacts")
        for subject in provenance["subject"]?.arrayValue ?? [] {
            part.lines.append("\(Self.digest(subject["digest"]))  \(subject["name"]?.stringValue ?? "?")")
        }
        for product in details?["byproducts"]?.arrayValue ?? [] where product["name"] == "artifact_links" {
            let links = product["annotations"]?["links"]?.objectValue ?? [:]
            for (name, target) in links.sorted(by: { $0.key < $1.key }) {
                part.lines.append("a link  \(name) -> \(target.stringValue ?? "?")")
            }
        }
        for product in details?["byproducts"]?.arrayValue ?? [] where product["name"] == "runtime_store_paths" {
            let paths = product["annotations"]?["paths"]?.arrayValue ?? []
            part.lines += paths.map { "may need at run time  \($0.stringValue ?? "?")" }
        }
        return part
    }

    private var source: Part {
        var part = Part(title: "requested")
        let parameters = definition?["externalParameters"]
        for (name, value) in (parameters?["source"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            part.add("source \(name)", value)
        }
        part.add("nonce", parameters?["nonce"])
        return part
    }

    private var build: Part {
        var part = Part(title: "build")
        part.add("type", definition?["buildType"])
        part.add("builder", details?["builder"]?["id"])
        part.add("version", details?["builder"]?["version"])
        part.add("isolation", definition?["internalParameters"]?["isolation"])
        part.add("job", details?["metadata"]?["invocationId"])
        part.add("started", details?["metadata"]?["startedOn"])
        part.add("finished", details?["metadata"]?["finishedOn"])
        return part
    }

    private var tools: Part {
        var part = Part(title: "tools")
        for key in ["toolchain", "tools"] {
            for tool in definition?["internalParameters"]?[key]?.arrayValue ?? [] { part.lines.append(Self.tool(tool)) }
        }
        return part
    }

    private var phases: Part {
        var part = Part(title: "phases")
        for phase in definition?["internalParameters"]?["phases"]?.arrayValue ?? [] {
            let network = phase["network"]?.boolValue == true ? "with network" : "without network"
            let words = (phase["commandLine"]?.arrayValue ?? []).compactMap(\.stringValue)
            part.lines.append("\(phase["name"]?.stringValue ?? "?") (\(network)): \(words.joined(separator: " "))")
        }
        return part
    }

    private var dependencies: Part {
        let all = definition?["resolvedDependencies"]?.arrayValue ?? []
        var part = Part(title: "\(all.count) inputs: source, lockfile, dependencies")
        for dependency in all {
            let name = dependency["uri"]?.stringValue ?? dependency["name"]?.stringValue ?? "?"
            part.lines.append("\(Self.digest(dependency["digest"]))  \(name)")
        }
        return part
    }

    private var byproducts: Part {
        var part = Part(title: "by-products")
        for product in details?["byproducts"]?.arrayValue ?? [] {
            let content = product["digest"].map(Self.digest) ?? product["annotations"].map(Self.json) ?? ""
            part.add(product["name"]?.stringValue ?? "?", .string(content))
        }
        return part
    }

    private var evidenceText: String {
        let warning = evidence["platform"] == "software" ? "\n  proves nothing about the machine" : ""
        return "evidence\(warning)\n" + FieldTable.text(decoded?.fields ?? [], indentation: 2)
    }

    private static func tool(_ tool: JSONValue) -> String {
        let name = tool["name"]?.stringValue ?? "?"
        let version = tool["version"]?.stringValue ?? tool["annotations"]?["version"]?.stringValue ?? ""
        return "\(digest(tool["digest"]))  \(name) \(version)"
    }

    /// The SHA-256 where there is one, else the first digest with its algorithm.
    private static func digest(_ digests: JSONValue?) -> String {
        let members = digests?.objectValue ?? [:]
        if let sha256 = members["sha256"]?.stringValue { return sha256 }
        guard let first = members.min(by: { $0.key < $1.key }) else { return "no digest" }
        return "\(first.key):\(first.value.stringValue ?? "?")"
    }

    private static func json(_ value: JSONValue) -> String { String(decoding: value.canonicalBytes, as: UTF8.self) }
}
