// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct DependencyLinksTests {
    /// A span as `id<parent kind local>remote`, `!` at the end for an error: `2<1 client web>db!`.
    private func links(_ spans: [String]) -> [String] {
        var frame = SpanFrame()
        var endpoints: [DependencyLinks.Endpoint] = []
        for (index, text) in spans.enumerated() {
            let isError = text.hasSuffix("!")
            let words = text.drop { $0 == "!" }.replacing("!", with: "").split(separator: " ")
            let ids = words[0].split(separator: "<").compactMap { UInt64($0) }
            let names = words[2].split(separator: ">", omittingEmptySubsequences: false)
            frame.append(
                spanID: ids[0],
                parentID: ids[1],
                start: UInt64(index),
                end: UInt64(index),
                kind: SpanKind(word: String(words[1])) ?? .unspecified
            )
            endpoints.append(
                .init(local: String(names[0]), remote: String(names[1]), isError: isError)
            )
        }
        var links = DependencyLinks()
        links.add(frame, TraceTree(frame), endpoints: endpoints)
        return links.links.map { "\($0.parent)>\($0.child) \($0.callCount) \($0.errorCount)" }
    }

    @Test(arguments: [
        // The server child names the call; its client's error counts.
        (["1<0 server web>", "2<1 client web>cart!", "3<2 server cart>"], ["web>cart 1 1"]),
        // A client without children names its peer.
        (["1<0 server web>", "2<1 client web>db"], ["web>db 1 0"]),
        (["1<0 client web>"], []),
        // A root server needs to name its caller.
        (["1<0 server web>"], []), (["1<0 server web>phone"], ["phone>web 1 0"]),
        // Internal spans between do not hide the caller.
        (["1<0 server web>", "2<1 internal web>", "3<2 server cart>"], ["web>cart 1 0"]),
        // Without a kind both ends must be named.
        (["1<0 unspecified web>db"], ["web>db 1 0"]), (["1<0 unspecified web>"], []),
        // Messages link to the broker.
        (
            ["1<0 producer web>kafka", "2<1 consumer push>kafka!"],
            ["kafka>push 1 1", "web>kafka 1 0"]
        ),
        (["1<0 producer web>", "2<1 consumer push>"], []),
        // A process between that sent no server span is linked too.
        (["1<0 server web>", "2<1 client cart>db"], ["cart>db 1 0", "web>cart 1 0"]),
        // A service that calls itself is a call.
        (["1<0 server web>", "2<1 server web>"], ["web>web 1 0"]),
        // A circle of parents is linked once each.
        (["1<2 server a>", "2<1 server b>"], ["a>b 1 0"]),
    ])
    func `links as Zipkin's rules say`(spans: [String], expected: [String]) {
        #expect(links(spans) == expected)
    }

    @Test func `counts add up over traces`() {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0, start: 0, end: 1, kind: .client)
        var links = DependencyLinks()
        for isError in [true, false, true] {
            links.add(
                frame,
                TraceTree(frame),
                endpoints: [.init(local: "a", remote: "b", isError: isError)]
            )
        }
        #expect(links.links == [.init(parent: "a", child: "b", callCount: 3, errorCount: 2)])
    }
}
