// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
public import SkeinPropagation

// Programs that begin, do one thing and end: commands, batch jobs, steps of a build.
extension TracingHandle {
    /// Runs a whole program in one span, and exports everything before it returns.
    ///
    /// ```swift
    /// let tracing = SkeinTracing.bootstrap(SkeinConfiguration(serviceName: "report"))
    /// try await tracing.program("write report") { span in … }
    /// ```
    /// Whoever started the program may have put it into a trace, by `TRACEPARENT` and the like: the
    /// span continues it, as it does with what any of the tracer's propagators finds. An error is
    /// noted on the span. Where the program calls `exit` itself, the span has not ended and is not
    /// exported; what had ended is.
    ///
    /// - Parameters:
    ///   - name: The operation.
    ///   - environment: The variables to look at; `nil` stands for those of the process.
    ///   - timeout: Longest wait for the export at the end.
    ///   - isolation: Where `body` runs.
    ///   - body: The program; is given the span.
    public func program<Result>(
        _ name: StaticString,
        environment: EnvironmentCarrier? = nil,
        timeout: Duration = .seconds(5),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ActiveSpan) async throws -> Result
    ) async rethrows -> Result {
        let caller = tracer.extract { key in
            let variable = EnvironmentCarrier.name(for: key)
            guard let environment else { return Transport.environment(variable) }
            return environment.variables[variable]
        }
        do {
            let result = try await tracer.span(
                name,
                .internal,
                continuing: caller,
                isolation: isolation,
                body
            )
            await shutdown(timeout: timeout)
            return result
        } catch {
            await shutdown(timeout: timeout)
            throw error
        }
    }
}

extension SkeinTracer {
    /// The variables that put a child process into the current trace; add them to its environment.
    ///
    /// ```swift
    /// process.environment = environment.merging(tracer.childEnvironment) { $1 }
    /// ```
    public var childEnvironment: [String: String] {
        var variables: [String: String] = [:]
        inject { variables[EnvironmentCarrier.name(for: $0)] = $1 }
        return variables
    }
}
