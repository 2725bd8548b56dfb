// SPDX-License-Identifier: Apache-2.0
import BuildServer
import HTTPTypes
import NIOCore
import StrictJSON
import Testing

@Suite struct QueryTests {
    @Test func valuesAreDecodedOnceAndPlusIsPlus() throws {
        let query = try Query("a=%41+b&empty=&flag&a%62=%25%34%31")
        #expect(try query.value("a") == "A+b")
        #expect(try query.value("empty") == "" && query.value("flag") == "")
        #expect(try query.value("ab") == "%41")
        #expect(try query.value("none") == nil)
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%ff", "%c3=1"]) func badEscapesAreRefused(text: String) {
        #expect(throws: Refusal.self) { try Query(text[...]) }
    }

    @Test(arguments: [("0", 0), ("7", 7), ("007", 7), ("9223372036854775807", Int.max)])
    func countsAreWholeNumbers(text: String, count: Int) throws {
        #expect(try Query("from=\(text)").count("from") == count)
    }

    @Test(arguments: [
        "-1", "abc", "1.5", "9223372036854775808", "1e3", "%20", "", "+1", "%2B1", "0x1", "٣", "1&from=1",
    ])
    func everythingElseIsNoCount(text: String) {
        #expect(throws: Refusal.self) { try Query("from=\(text)").count("from") }
    }
}

@Suite struct ByteRangeTests {
    @Test(arguments: [
        (nil, ByteRange.whole), ("bytes=0-", .part(0..<10)), ("bytes=3-", .part(3..<10)), ("bytes=3-5", .part(3..<6)),
        ("bytes=3-99", .part(3..<10)), ("bytes=-4", .part(6..<10)), ("bytes=-99", .part(0..<10)),
        ("Bytes= 3 - 5 ", .part(3..<6)), ("bytes=9-9", .part(9..<10)), ("bytes=10-", .unsatisfiable),
        ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=5-3", .whole),
        ("bytes=-", .whole), ("bytes=0-1,3-4", .whole), ("lines=0-1", .whole), ("bytes=a-b", .whole), ("", .whole),
        ("bytes=1-99999999999999999999", .part(1..<10)),
    ]) func aHeaderMeansARange(header: String?, expected: ByteRange) {
        #expect(ByteRange(header: header, size: 10) == expected)
    }

    @Test func anEmptyFileHasNoPart() {
        #expect(ByteRange(header: "bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange(header: "bytes=-1", size: 0) == .unsatisfiable)
        #expect(ByteRange(header: nil, size: 0) == .whole)
    }
}

@Suite struct RouteTests {
    @Test(arguments: [
        (HTTPRequest.Method.post, "/build", Operation.submit, ""), (.get, "/build/abc", .status, "abc"),
        (.head, "/build/abc/result", .result, "abc"), (.get, "/build/a%2e/events", .events, "a%2e"),
        (.get, "/health", .health, ""), (.get, "/openapi.json", .description, ""),
    ]) func pathsLeadToTheirOperation(
        method: HTTPRequest.Method, path: String, operation: BuildServer.Operation, id: String
    ) {
        #expect(Route(method: method, path: path[...]) == .to(operation, id: id))
    }

    @Test(arguments: [
        "", "/", "/nope", "/build/", "/build//events", "/build/a/events/", "/build/a/b/c", "build", "//health",
    ])
    func otherPathsAreNotFound(path: String) {
        #expect(Route(method: .get, path: path[...]) == .refused(.notFound))
    }

    @Test func anotherMethodIsToldWhichTheseAre() {
        #expect(Route(method: .put, path: "/build") == .refused(.methodNotAllowed(["POST"])))
        #expect(Route(method: .delete, path: "/build/a/result") == .refused(.methodNotAllowed(["GET", "HEAD"])))
    }
}

@Suite struct OpenAPITests {
    private let document = OpenAPI.document(version: "1")

    @Test func everyOperationIsDescribedOnce() {
        let operations = (document["paths"]?.objectValue ?? [:]).values.flatMap { ($0.objectValue ?? [:]).values }
        let names = operations.compactMap { $0["operationId"]?.stringValue }.sorted()
        #expect(names == BuildServer.Operation.allCases.map(\.rawValue).sorted())
        for operation in operations { #expect(operation["responses"]?.objectValue?.isEmpty == false) }
    }

    @Test func everyReferenceLeadsSomewhere() {
        func check(_ value: JSONValue) {
            if case .array(let elements) = value { elements.forEach(check) }
            guard case .object(let members) = value else { return }
            if let reference = members["$ref"]?.stringValue {
                let name = reference.split(separator: "/").last.map(String.init) ?? ""
                #expect(reference == "#/components/schemas/\(name)")
                #expect(document["components"]?["schemas"]?[name] != nil, "\(reference)")
            }
            members.values.forEach(check)
        }
        check(document)
    }
}
