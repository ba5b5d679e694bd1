# SPDX-License-Identifier: Apache-2.0
"""Collectors that are in trouble, each in its own way."""

import contextlib
import socket
import threading

ENDLESS_BYTES = 10 << 30


def read_request(connection):
    """Reads one request whole; False when the client has gone."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65_536)
        if not part:
            return False
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                   if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        part = connection.recv(65_536)
        if not part:
            return False
        body += part
    return True


def answers(status, *headers):
    head = "\r\n".join([f"HTTP/1.1 {status}", "content-length: 0", *headers]) + "\r\n\r\n"

    def answer(connection, _):
        connection.sendall(head.encode())
        return True
    return answer


def garbage(connection, _):
    connection.sendall(bytes(range(256)) * 64)
    return False


def endless(connection, _):
    connection.sendall(
        f"HTTP/1.1 200 OK\r\ncontent-length: {ENDLESS_BYTES}\r\n\r\n".encode())
    block = b"\x0a" * (1 << 20)
    for _ in range(ENDLESS_BYTES // len(block)):
        connection.sendall(block)
    return True


def hang(_, stopping):
    stopping.wait()
    return False


def drip(connection, stopping):
    """A byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not stopping.wait(0.2):
        connection.sendall(b"x")
    return False


BEHAVIOURS = {
    "healthy": answers("200 OK"), "429": answers("429 Too Many Requests", "retry-after: 30"),
    "500": answers("500 Internal Server Error"), "503": answers("503 Service Unavailable"),
    "garbage": garbage, "endless": endless, "hang": hang, "drip": drip,
}


class Collector:
    """Answers every request on loopback by one of `BEHAVIOURS`."""

    def __init__(self, behaviour):
        self.answer = BEHAVIOURS[behaviour]
        self.stopping = threading.Event()
        self.request_count = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def _accept(self):
        serving = []
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                serving.append(threading.Thread(target=self._serve, args=(connection,)))
                serving[-1].start()
        for thread in serving:
            thread.join()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while read_request(connection):
                self.request_count += 1
                if not self.answer(connection, self.stopping):
                    return

    def stop(self):
        self.stopping.set()
        # Wakes who waits in accept; close alone does not.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def unused_url():
    """The address of a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
