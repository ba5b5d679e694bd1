// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

extension Transport {
    /// What a thread does, on its way there.
    private final class ThreadBody: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own and waits for it without holding one of Swift's, of which
    /// there are as many as processors: a disk that hangs then holds up nobody.
    ///
    /// Where no thread can be made, `body` runs here.
    static func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result
    {
        await withCheckedContinuation { continuation in
            let isStarted = startThread { continuation.resume(returning: body()) }
            if !isStarted { continuation.resume(returning: body()) }
        }
    }

    /// Starts a detached thread.
    ///
    /// - Returns: `false` where there is none to be had; then `body` does not run.
    static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        // The thread takes over what is retained here.
        let box = Unmanaged.passRetained(ThreadBody(body))
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let code = pthread_create(&thread, nil, Self.threadMain, box.toOpaque())
        guard code == 0 else {
            box.release()
            return false
        }
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
        return true
    }

    #if canImport(Darwin)
    private static let threadMain:
        @convention(c) (UnsafeMutableRawPointer) ->
            UnsafeMutableRawPointer? = { argument in
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }
    #else
    private static let threadMain:
        @convention(c) (UnsafeMutableRawPointer?) ->
            UnsafeMutableRawPointer? = { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }
    #endif
}
