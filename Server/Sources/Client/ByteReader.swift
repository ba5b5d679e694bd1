// SPDX-License-Identifier: Apache-2.0

/// Reads a file forwards, byte by byte or in runs, through one buffer.
struct ByteReader {
    private let file: InputFile
    private var buffer: [UInt8] = []
    /// Index in `buffer` of the next byte.
    private var position = 0
    /// Bytes handed out so far, after decompression: where errors are.
    private(set) var offset = 0

    init(_ file: InputFile) { self.file = file }

    var path: String { file.path }

    /// The next byte, `nil` at the end of the file.
    mutating func next() throws(ClientError) -> UInt8? {
        if position == buffer.count {
            buffer = try file.read()
            position = 0
            if buffer.isEmpty { return nil }
        }
        let byte = buffer[position]
        position &+= 1
        offset &+= 1
        return byte
    }

    /// Up to `count` bytes from here on, without moving on; fewer at the end of the file only.
    mutating func peek(_ count: Int) throws(ClientError) -> ArraySlice<UInt8> {
        while buffer.count - position < count {
            let more = try file.read()
            if more.isEmpty { break }
            buffer = Array(buffer[position...]) + more
            position = 0
        }
        return buffer[position...].prefix(count)
    }

    /// Exactly `count` bytes, or `nil` when the file ends before them.
    mutating func read(_ count: Int) throws(ClientError) -> [UInt8]? {
        var bytes: [UInt8] = []
        // Grows as the file delivers, so that a wrong length reserves nothing.
        while bytes.count < count {
            if position == buffer.count {
                buffer = try file.read()
                position = 0
                if buffer.isEmpty { return nil }
            }
            let taken = min(count - bytes.count, buffer.count - position)
            bytes += buffer[position..<position + taken]
            position += taken
            offset += taken
        }
        return bytes
    }

    /// The next line without its end, `nil` at the end of the file.
    mutating func line() throws(ClientError) -> [UInt8]? {
        var line: [UInt8] = []
        while let byte = try next() {
            if byte == UInt8(ascii: "\n") { return line }
            if byte != UInt8(ascii: "\r") { line.append(byte) }
            guard line.count <= Limits.elementByteCount else {
                throw ClientError(
                    "a line is longer than \(Limits.elementByteCount) bytes",
                    at: "\(path), byte \(offset)"
                )
            }
        }
        return line.isEmpty ? nil : line
    }
}
