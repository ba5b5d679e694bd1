// SPDX-License-Identifier: Apache-2.0

#if Logging
public import Logging
internal import SkeinModel
internal import SkeinPropagation

extension Logger.MetadataProvider {
    /// Puts `trace_id` and `span_id` of the innermost span, of either kind, into each line that is
    /// written; nothing outside of any span.
    ///
    /// ```swift
    /// LoggingSystem.bootstrap(StreamLogHandler.standardError, metadataProvider: .skein)
    /// ```
    /// The ids stand there for traces that are not recorded too: they are the same in every service.
    public static var skein: Logger.MetadataProvider {
        Logger.MetadataProvider {
            guard let trace = TracerCore.current?.trace else { return [:] }
            return [
                "trace_id": "\(trace.traceID)",
                "span_id": "\(trace.spanID)",
            ]
        }
    }
}
#endif
