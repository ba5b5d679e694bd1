// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import Query
import QueryLanguage
import SkeinModel
import Store

/// `POST /api/skein/v1/mcp`: the Model Context Protocol, by which assistants ask about traces.
///
/// Its streamable HTTP transport without streams: each request is a JSON-RPC 2.0 message, or a list
/// of them as versions before 2025-06-18 allow, and is answered with JSON. Nothing is remembered
/// between requests, and nothing can be changed.
extension ReadAPI {
    static let mcpPath = "/api/skein/v1/mcp"

    func addMCP<Context>(to router: some RouterMethods<Context>) {
        addPost(
            Self.mcpPath,
            to: router,
            instead: "connect to its address",
            hint: "there are no streams and no sessions; POST a JSON-RPC message",
            answerMCP
        )
    }

    @Sendable private func answerMCP(_ request: Request) async -> Response {
        let headers = request.headers
        let version = HTTPField.Name("MCP-Protocol-Version").flatMap { headers[$0] }
        if let version, !MCP.versions.contains(version) {
            let failure = MCP.Failure(
                code: MCP.invalidRequest,
                message: "MCP-Protocol-Version \(version.prefix(40)) is not spoken here; there "
                    + "are \(MCP.versions.joined(separator: ", "))"
            )
            return .json(MCP.answer(to: .null, failure), status: .badRequest)
        }
        let body: [UInt8]
        do {
            let collected = try await request.body.collect(upTo: RequestLimits.mcpByteCount)
            body = Array(collected.readableBytesView)
        } catch is NIOTooManyBytesError {
            return ErrorStyle.native.response(
                .contentTooLarge,
                "a message has \(RequestLimits.mcpByteCount) bytes at most"
            )
        } catch {
            return ErrorStyle.native.response(.badRequest, "the body did not come whole: \(error)")
        }
        guard let message = try? JSONValue(parsing: body) else {
            let failure = MCP.Failure(code: MCP.parseError, message: "the body is no JSON")
            return .json(MCP.answer(to: .null, failure), status: .badRequest)
        }
        return await answer(message)
    }

    private func answer(_ message: JSONValue) async -> Response {
        guard case .array(let messages) = message else {
            guard let answer = await mcpAnswer(to: message) else { return MCP.accepted }
            return .json(answer)
        }
        guard (1...RequestLimits.mcpMessageCount).contains(messages.count) else {
            let failure = MCP.Failure(
                code: MCP.invalidRequest,
                message: "a list has 1 to \(RequestLimits.mcpMessageCount) messages"
            )
            return .json(MCP.answer(to: .null, failure), status: .badRequest)
        }
        var answers: [AnswerJSON] = []
        for message in messages {
            if let answer = await mcpAnswer(to: message) { answers.append(answer) }
        }
        guard !answers.isEmpty else { return MCP.accepted }
        var json = AnswerJSON()
        json.array { json in
            for answer in answers { json.embed(answer.bytes) }
        }
        return .json(json)
    }

    /// The answer to one message; `nil` for a notification and for an answer, which want none.
    private func mcpAnswer(to message: JSONValue) async -> AnswerJSON? {
        let id = message["id"]
        guard case .object = message, message["jsonrpc"]?.text == "2.0",
            let method = message["method"]?.text
        else {
            if message["result"] != nil || message["error"] != nil { return nil }
            let failure = MCP.Failure(
                code: MCP.invalidRequest,
                message: "this is no JSON-RPC 2.0 message: give jsonrpc \"2.0\", a method, and an "
                    + "id where an answer is wanted"
            )
            return MCP.answer(to: .null, failure)
        }
        guard let id else { return nil }
        switch id {
        case .int, .string, .number: break
        default:
            return MCP.answer(
                to: .null,
                MCP.Failure(code: MCP.invalidRequest, message: "an id is a text or a number")
            )
        }
        do {
            let result = try await mcpResult(of: method, message["params"] ?? .object([:]))
            return MCP.answer(to: id, result)
        } catch let failure as MCP.Failure {
            return MCP.answer(to: id, failure)
        } catch {
            return MCP.answer(to: id, MCP.Failure(code: MCP.internalError, message: "\(error)"))
        }
    }

    private func mcpResult(of method: String, _ parameters: JSONValue) async throws -> AnswerJSON {
        var json = AnswerJSON()
        switch method {
        case "initialize":
            let asked = parameters["protocolVersion"]?.text ?? ""
            json.object { json in
                let version = MCP.versions.contains(asked) ? asked : MCP.versions[0]
                json.member("protocolVersion", version)
                json.object("capabilities") { json in
                    json.object("tools") { $0.member("listChanged", flag: false) }
                }
                json.object("serverInfo") { json in
                    json.member("name", "skein")
                    json.member("title", "Skein")
                    json.member("version", facts().version)
                }
                json.member("instructions", MCP.instructions)
            }
        case "ping": json.object { _ in }
        case "tools/list": json.embed(Array(MCP.tools.utf8))
        case "tools/call": json = try await mcpToolAnswer(parameters)
        default:
            throw MCP.Failure(
                code: MCP.methodNotFound,
                message: "method \(method.prefix(80)) is not offered; there are initialize, ping, "
                    + "tools/list and tools/call"
            )
        }
        return json
    }

    /// What a tool says: a mistake in its arguments is an answer that says so, for the assistant to
    /// read and do better.
    private func mcpToolAnswer(_ parameters: JSONValue) async throws -> AnswerJSON {
        guard let name = parameters["name"]?.text else {
            throw MCP.Failure(code: MCP.invalidParameters, message: "params.name is missing")
        }
        guard let tool = MCPTool(rawValue: name) else {
            let names = MCPTool.allCases.map(\.rawValue).joined(separator: ", ")
            throw MCP.Failure(
                code: MCP.invalidParameters,
                message: "there is no tool \(name.prefix(80)); there are \(names)"
            )
        }
        var text: String
        var isError = false
        do {
            let arguments = try ToolArguments(parameters["arguments"], of: tool)
            text = try await questions.answer(
                QuestionPlace(interface: "mcp", route: name),
                text: arguments.written,
                status: { answer in
                    guard case .failure(let error) = answer else { return .ok }
                    return API.Failure(of: error).status
                }
            ) {
                try await run(tool, arguments)
            }
        } catch let error as QueryError {
            text = MCP.explained(error)
            isError = true
        } catch let failure as Failure {
            text = failure.message
            isError = true
        } catch let error as StoreError {
            text = "the store could not answer: \(error)"
            isError = true
        }
        if text.utf8.count > RequestLimits.mcpTextByteCount {
            text =
                String(decoding: text.utf8.prefix(RequestLimits.mcpTextByteCount), as: UTF8.self)
                + "\n… cut here: ask for less"
        }
        var json = AnswerJSON()
        json.object { json in
            json.array("content") { json in
                json.object { json in
                    json.member("type", "text")
                    json.member("text", text)
                }
            }
            json.member("isError", flag: isError)
        }
        return json
    }

    private func run(_ tool: MCPTool, _ arguments: ToolArguments) async throws -> String {
        switch tool {
        case .findTraces: try await findTraces(arguments)
        case .getTrace: try await getTrace(arguments)
        case .compareTraces: try await compareTraces(arguments)
        case .metrics: try await metrics(arguments)
        case .services: try await serviceNames(arguments)
        case .operations: try await operationNames(arguments)
        case .attributes: try await attributeNames(arguments)
        }
    }
}

/// Words of the protocol.
enum MCP {
    /// Versions that are spoken, the newest first.
    static let versions = ["2025-06-18", "2025-03-26", "2024-11-05"]
    static let parseError = -32_700
    static let invalidRequest = -32_600
    static let methodNotFound = -32_601
    static let invalidParameters = -32_602
    static let internalError = -32_603

    static let instructions = """
        Skein keeps distributed traces. Begin with services and operations to learn the names, \
        find_traces with a TraceQL query to find traces, get_trace to read one, compare_traces to \
        see why one was slower than another, and metrics for rates, errors and durations over time. \
        Nothing can be changed. Times are UTC.
        """

    /// An error of JSON-RPC.
    struct Failure: Error {
        var code: Int
        var message: String
    }

    /// A message that wants no answer was taken.
    static var accepted: Response { Response(status: .accepted) }

    static func answer(to id: JSONValue, _ result: AnswerJSON) -> AnswerJSON {
        var json = AnswerJSON()
        json.object { json in
            json.member("jsonrpc", "2.0")
            json.key("id")
            json.value(id)
            json.key("result")
            json.embed(result.bytes)
        }
        return json
    }

    static func answer(to id: JSONValue, _ failure: Failure) -> AnswerJSON {
        var json = AnswerJSON()
        json.object { json in
            json.member("jsonrpc", "2.0")
            json.key("id")
            json.value(id)
            json.object("error") { json in
                json.key("code")
                json.number(failure.code)
                json.member("message", failure.message)
            }
        }
        return json
    }

    /// What is wrong, where, and what to write, with a mark below the place.
    static func explained(_ error: QueryError) -> String {
        var text = error.description
        if let position = error.position, !error.text.contains("\n"), error.text.count <= 1_000 {
            text += "\n\n  \(error.text)\n  \(String(repeating: " ", count: position))^"
        }
        return text
    }
}
