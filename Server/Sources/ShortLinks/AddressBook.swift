// SPDX-License-Identifier: Apache-2.0

public import Platform

/// Addresses of the page under short names, kept in a folder across restarts.
///
/// One thread reads and writes the file, so that nobody else waits for the disk.
public final class AddressBook: Sendable {
    private struct Queue {
        var waiting: [@Sendable (inout AddressFile) -> Void] = []
        var isClosing = false
        var isClosed = false
    }

    private let queue = Monitor(Queue())

    /// Opens the book of a folder. The folder is the caller's alone until `close` returns.
    ///
    /// What is wrong with the file is told to those who ask: it is no reason not to start.
    ///
    /// - Parameters:
    ///   - directory: where `LINKS` is, or will be once there is a link.
    ///   - disk: what it lies on.
    public init(directory: String, disk: any Disk) {
        DedicatedThread.start(named: "skein-links") { [queue] in
            var file = AddressFile(directory, disk)
            while let work = Self.next(queue) { work(&file) }
            queue.update { $0.isClosed = true }
        }
    }

    private static func next(
        _ queue: Monitor<Queue>
    ) -> (@Sendable (inout AddressFile) -> Void)? {
        queue.wait { queue -> (@Sendable (inout AddressFile) -> Void)?? in
            if !queue.waiting.isEmpty { return .some(queue.waiting.removeFirst()) }
            return queue.isClosing ? .some(nil) : nil
        }
    }

    /// The name of an address, the same each time. It lasts when this returns.
    public func name(of address: PageAddress) async throws(AddressBookError) -> String {
        try await run { file throws(AddressBookError) in try file.take(address).text }
    }

    /// The address that a name stands for; `nil` where it is the name of none.
    public func address(named text: String) async throws(AddressBookError) -> PageAddress? {
        guard let name = LinkName(text: text) else { return nil }
        return try await run { file throws(AddressBookError) in try file.address(of: name) }
    }

    /// Answers what waits and gives the file up.
    public func close() async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let queue = queue
            queue.update { $0.isClosing = true }
            DedicatedThread.start(named: "skein-close") {
                queue.wait { $0.isClosed ? () : nil }
                done.resume()
            }
        }
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (inout AddressFile) throws(AddressBookError) -> Value
    ) async throws(AddressBookError) -> Value {
        let answer = await withCheckedContinuation {
            (done: CheckedContinuation<Result<Value, AddressBookError>, Never>) in
            let refusal = queue.update { queue -> AddressBookError? in
                if queue.isClosing { return .unavailable("the server is shutting down") }
                guard queue.waiting.count < ShortLinkLimits.waitingCount else { return .busy }
                queue.waiting.append { file in
                    done.resume(
                        returning: Result { () throws(AddressBookError) in try body(&file) }
                    )
                }
                return nil
            }
            if let refusal { done.resume(returning: .failure(refusal)) }
        }
        return try answer.get()
    }
}

/// Why there is no short link to be had.
public enum AddressBookError: Error, Equatable, CustomStringConvertible {
    /// Too many ask at once.
    case busy
    /// No more are kept; what to do.
    case full(String)
    /// The file cannot be read or written; why.
    case unavailable(String)

    public var description: String {
        switch self {
        case .busy: "too many ask for short links at once; ask again in 1 s"
        case .full(let reason): reason
        case .unavailable(let reason): "short links cannot be kept here: \(reason)"
        }
    }
}
