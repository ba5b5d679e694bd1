// SPDX-License-Identifier: Apache-2.0

import CPlatform
import Glibc

/// What the operating system allows this process and says of it.
public enum Process {
    /// Raises the number of files and sockets that may be open at once to what the system allows.
    ///
    /// - Returns: the number, as it now is.
    public static func raiseOpenFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(openFiles, &limit) == 0 else { return 1024 }
        let allowed = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        if withUnsafePointer(to: allowed, { setrlimit(openFiles, $0) }) == 0 { limit = allowed }
        return Int(clamping: limit.rlim_cur)
    }

    /// Keeps memory that is freed for what is allocated next, as suits a process that takes a large
    /// request every few milliseconds: a page that the system gives anew costs more than its use.
    /// For the whole process; to be called once, before there are many threads.
    public static func keepMemory() { skein_keep_memory() }

    /// Gives memory that is kept but free back to the system. Others wait for memory meanwhile, about a
    /// millisecond for each 10 MB: to be called seldom.
    public static func giveBackMemory() { skein_give_back_memory() }

    /// Lets a write past the limit of a file's size fail as one on a full disk does, instead of ending
    /// the process.
    public static func failWritesAtSizeLimit() { signal(SIGXFSZ, SIG_IGN) }

    /// Processor time used since the start, user and system together, seconds.
    public static func processorSeconds() -> Double {
        var now = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0 else { return 0 }
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Processor time that the calling thread has used, nanoseconds; 0 where the system does not say.
    public static func threadCPUNanoseconds() -> UInt64 {
        var now = timespec()
        guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0 else { return 0 }
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }

    /// Bytes of memory in use; 0 where the system does not say.
    public static func residentByteCount() -> Int {
        // Its second number is the resident pages.
        let numbers = firstLine(of: "/proc/self/statm").split(separator: " ")
        guard numbers.count > 1, let pages = Int(numbers[1]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Files and sockets that are open; 0 where the system does not say.
    public static func openFileCount() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without ".", ".." and the folder itself.
        return max(0, count - 3)
    }

    /// Ends the process.
    public static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

    private static var openFiles: __rlimit_resource_t {
        __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    }

    /// The first line of a small file of /proc, at most 255 bytes.
    private static func firstLine(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 255)
        // Bound: the buffer's own count.
        let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return "" }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
