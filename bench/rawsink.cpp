// SPDX-License-Identifier: Apache-2.0
// rawsink: the floor under any OTLP/HTTP receiver: one thread, no HTTP library, nothing kept in a
// form that can be searched.
//
//   rawsink MODE PORT FILE
//
//   null   read the request and answer
//   walk   and visit every field of it
//   sync   walk, append the payload to FILE, one fdatasync for all waiting requests, answer
//   zsync  the same, compressed with zstd-1 first
//   rec    as sync, but into a file that was written before and is written over (a recycled log)
//   zrec   rec, compressed with zstd-1 first
//
// Prints one JSON line when it is asked to stop by SIGTERM.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <string>

#include "otlpwalk.h"
using namespace std;

static const u64 RECYCLED_BYTES = 256u << 20;
static const char ANSWER[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

static volatile sig_atomic_t stopping = 0;

struct Connection {
    int socket;
    vector<u8> buffer = vector<u8>(1 << 20);
    size_t filled = 0;
    size_t head = 0;  // 0 until the end of the request's head was seen
    size_t body = 0;

    bool is_complete() const {
        return head && filled >= head + body;
    }

    // False when the client has gone.
    bool receive() {
        while (!is_complete()) {
            if (filled == buffer.size()) {
                buffer.resize(buffer.size() * 2);
            }
            ssize_t count = recv(socket, buffer.data() + filled, buffer.size() - filled, 0);
            if (count <= 0) {
                return count < 0 && errno == EAGAIN;
            }
            filled += count;
            if (!head) {
                find_head();
            }
        }
        return true;
    }

    void find_head() {
        buffer[min(filled, buffer.size() - 1)] = 0;
        const char* start = (const char*)buffer.data();
        const char* end = strstr(start, "\r\n\r\n");
        if (!end) {
            return;
        }
        const char* length = strcasestr(start, "content-length:");
        head = end + 4 - start;
        body = length ? atol(length + 15) : 0;
        if (buffer.size() < head + body + 1) {
            buffer.resize(head + body + 1);
        }
    }

    void drop_request() {
        size_t rest = filled - head - body;
        memmove(buffer.data(), buffer.data() + head + body, rest);
        filled = rest;
        head = body = 0;
    }
};

struct Log {
    int file = -1;
    bool is_recycled, is_compressed;
    u64 position = 0, written = 0, syncs = 0;
    ZSTD_CCtx* context = ZSTD_createCCtx();
    vector<u8> compressed;

    Log(const string& mode, const char* path)
        : is_recycled(mode == "rec" || mode == "zrec"),
          is_compressed(mode == "zsync" || mode == "zrec") {
        if (mode == "null" || mode == "walk") {
            return;
        }
        file = open(path, O_CREAT | O_WRONLY | (is_recycled ? 0 : O_TRUNC), 0644);
        if (file < 0) {
            perror(path);
            exit(1);
        }
        if (is_recycled) {
            vector<u8> zeros(1 << 20, 0);
            for (u64 at = 0; at < RECYCLED_BYTES; at += zeros.size()) {
                put(zeros.data(), zeros.size(), at);
            }
            fdatasync(file);
            written = 0;
        }
    }

    void put(const u8* bytes, size_t count, u64 at) {
        if (pwrite(file, bytes, count, at) != (ssize_t)count) {
            perror("write");
            exit(1);
        }
        written += count;
    }

    void append(const u8* bytes, size_t count) {
        if (file < 0) {
            return;
        }
        if (is_compressed) {
            compressed.resize(ZSTD_compressBound(count));
            count =
                ZSTD_compressCCtx(context, compressed.data(), compressed.size(), bytes, count, 1);
            bytes = compressed.data();
        }
        if (is_recycled && position + count > RECYCLED_BYTES) {
            position = 0;
        }
        put(bytes, count, position);
        position += count;
    }

    void sync() {
        if (file >= 0) {
            fdatasync(file);
            syncs++;
        }
    }
};

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (sockaddr*)&address, sizeof address) || listen(listener, 64)) {
        perror("bind");
        exit(1);
    }
    return listener;
}

static void watch(int poller, int descriptor, Connection* connection) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection;
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static Connection* accept_from(int listener) {
    Connection* connection = new Connection{accept(listener, 0, 0)};
    int on = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    return connection;
}

int main(int count, char** arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: rawsink null|walk|sync|zsync|rec|zrec PORT FILE\n");
        return 64;
    }
    string mode = arguments[1];
    signal(SIGTERM, [](int) {
        stopping = 1;
    });
    signal(SIGPIPE, SIG_IGN);
    Log log(mode, arguments[3]);
    int listener = listen_on(atoi(arguments[2])), poller = epoll_create1(0);
    watch(poller, listener, nullptr);
    fprintf(stderr, "ready\n");

    WalkStat walked;
    u64 requests = 0;
    epoll_event events[64];
    vector<Connection*> ready;
    while (!stopping) {
        int event_count = epoll_wait(poller, events, 64, 200);
        ready.clear();
        for (int i = 0; i < event_count; i++) {
            Connection* connection = (Connection*)events[i].data.ptr;
            if (!connection) {
                connection = accept_from(listener);
                watch(poller, connection->socket, connection);
            } else if (!connection->receive()) {
                close(connection->socket);
                delete connection;
            } else if (connection->is_complete()) {
                ready.push_back(connection);
            }
        }
        for (Connection* connection : ready) {
            const u8* body = connection->buffer.data() + connection->head;
            if (mode != "null") {
                walk_full(body, connection->body, walked);
            }
            log.append(body, connection->body);
            requests++;
        }
        if (!ready.empty()) {
            log.sync();
        }
        for (Connection* connection : ready) {
            connection->drop_request();
            send(connection->socket, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
        }
    }
    printf(
        "{\"mode\":\"%s\",\"requests\":%llu,\"spans\":%llu,\"attributes\":%llu,"
        "\"syncs\":%llu,\"written_bytes\":%llu,\"check\":%llu}\n",
        mode.c_str(), (unsigned long long)requests, (unsigned long long)walked.spans,
        (unsigned long long)walked.attrs, (unsigned long long)log.syncs,
        (unsigned long long)log.written, (unsigned long long)walked.chk);
}
