// SPDX-License-Identifier: Apache-2.0

#if RedisStreams
internal import CHiredis
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One blocking connection to a Redis server by hiredis: opened with the first command, and again
/// after one that failed on the way.
///
/// Commands are run by one thread at a time, which waits: never one of Swift's.
final class RedisConnection: Sendable {
    private let server: RedisServer
    private let handle = Mutex<Handle?>(nil)

    init(_ server: RedisServer) { self.server = server }

    /// What hiredis keeps; freed with the last reference.
    ///
    /// Sendable: it is only ever touched inside of `handle`'s lock.
    private final class Handle: @unchecked Sendable {
        let context: UnsafeMutablePointer<redisContext>

        init(_ context: UnsafeMutablePointer<redisContext>) { self.context = context }

        deinit { redisFree(context) }

        /// What hiredis says is wrong.
        var problem: String {
            withUnsafeBytes(of: context.pointee.errstr) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
    }

    /// Runs one command and waits for its answer.
    ///
    /// - Parameters:
    ///   - arguments: The command's words, any bytes.
    ///   - timeout: Longest wait for the answer. Afterwards the connection is given up, since the
    ///     answer may still come.
    func run(_ arguments: [[UInt8]], timeout: Duration) throws(RedisError) -> RedisValue {
        let answer: Result<RedisValue, RedisError> = handle.withLock { handle in
            do throws(RedisError) {
                let answer = try Self.withoutPipeSignals { () throws(RedisError) in
                    let open = if let handle { handle } else { try connect() }
                    handle = open
                    return try Self.exchange(arguments, open, timeout)
                }
                return .success(answer)
            } catch {
                handle = nil
                return .failure(error)
            }
        }
        return try answer.get()
    }

    /// Runs `body` so that writing to a server that has hung up is an error, as hiredis expects it, and
    /// not a signal, which would end the process.
    private static func withoutPipeSignals<Answer>(
        _ body: () throws(RedisError) -> Answer
    ) throws(RedisError) -> Answer {
        var pipe = sigset_t()
        var before = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer {
            // One that came meanwhile is meant for this thread, and is taken before the mask goes.
            var waiting = sigset_t()
            sigpending(&waiting)
            if sigismember(&waiting, SIGPIPE) == 1, sigismember(&before, SIGPIPE) == 0 {
                var signal: Int32 = 0
                sigwait(&pipe, &signal)
            }
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return try body()
    }

    /// Closes the connection.
    func close() { handle.withLock { $0 = nil } }

    private func connect() throws(RedisError) -> Handle {
        let wait = Self.time(server.timeout)
        let context =
            switch server.place {
            case .address(let host, let port):
                redisConnectWithTimeout(host, Int32(clamping: port), wait)
            case .socket(let path): redisConnectUnixWithTimeout(path, wait)
            }
        guard let context else { throw RedisError(.connection, "there is no memory for it") }
        let handle = Handle(context)
        guard context.pointee.err == 0 else {
            throw RedisError(.connection, "\(server.place): \(handle.problem)")
        }
        if let password = server.password {
            let words = ["AUTH"] + (server.username.map { [$0] } ?? []) + [password]
            let answer = try Self.exchange(words.map { Array($0.utf8) }, handle, server.timeout)
            if case .error(let message) = answer { throw RedisError(.server, message) }
        }
        return handle
    }

    private static func exchange(
        _ arguments: [[UInt8]],
        _ handle: Handle,
        _ timeout: Duration
    ) throws(RedisError) -> RedisValue {
        guard redisSetTimeout(handle.context, time(timeout)) == REDIS_OK else {
            throw RedisError(.connection, handle.problem)
        }
        guard let answer = send(arguments, handle.context) else {
            throw RedisError(.connection, handle.problem)
        }
        defer { freeReplyObject(answer) }
        return try value(answer.assumingMemoryBound(to: redisReply.self), depth: 0)
    }

    /// The words lie after each other in one piece of memory, as long as hiredis writes them down.
    private static func send(
        _ arguments: [[UInt8]],
        _ context: UnsafeMutablePointer<redisContext>
    ) -> UnsafeMutableRawPointer? {
        guard let count = Int32(exactly: arguments.count) else { return nil }
        var lengths = arguments.map(\.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lengths.reduce(1, +))
        for word in arguments { bytes.append(contentsOf: word) }
        // One byte more, so that there is an address even where all words are empty.
        bytes.append(0)
        return bytes.withUnsafeBytes { bytes in
            guard var next = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                return nil
            }
            var words: [UnsafePointer<CChar>?] = []
            for length in lengths {
                words.append(next)
                // Bound: the lengths sum up to one byte less than there are.
                next += length
            }
            return redisCommandArgv(context, count, &words, &lengths)
        }
    }

    private static func value(
        _ reply: UnsafeMutablePointer<redisReply>,
        depth: Int
    ) throws(RedisError) -> RedisValue {
        guard depth < Limits.redisNestingDepth else {
            throw RedisError(.answer, "it is nested too deeply")
        }
        let reply = reply.pointee
        switch reply.type {
        case REDIS_REPLY_STRING: return .bytes(bytes(reply))
        case REDIS_REPLY_STATUS: return .bytes(bytes(reply))
        case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(reply), as: UTF8.self))
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_NIL: return .none
        case REDIS_REPLY_ARRAY:
            var elements: [RedisValue] = []
            // Bound: hiredis made as many elements as it says, and none of them is missing.
            for index in 0..<Int(reply.elements) {
                guard let element = reply.element?[index] else { continue }
                elements.append(try value(element, depth: depth + 1))
            }
            return .array(elements)
        default: throw RedisError(.answer, "it is of type \(reply.type), which nobody knows")
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        guard let text = reply.str else { return [] }
        // Bound: hiredis read `len` bytes into `str`.
        return Array(UnsafeRawBufferPointer(start: text, count: Int(reply.len)))
    }

    private static func time(_ duration: Duration) -> timeval {
        let (seconds, attoseconds) = max(duration, .milliseconds(1)).components
        var time = timeval()
        time.tv_sec = min(Int(clamping: seconds), 86_400)
        // Less than a million, which every type for it holds.
        time.tv_usec = .init(attoseconds / 1_000_000_000_000)
        return time
    }
}
#endif
