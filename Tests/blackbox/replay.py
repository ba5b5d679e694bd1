#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends a recorded capture to a server again: replay.py FOLDER --http H:P --zipkin H:P --grpc H:P

A capture is a folder with capture.json and the raw files it names. HTTP requests go out byte for
byte, gRPC messages through grpcio with a serializer that leaves them as they are.
"""

import argparse
import dataclasses
import json
import pathlib
import socket

import grpc


@dataclasses.dataclass(frozen=True)
class Sent:
    """One replayed request: the file it came from and what was answered."""

    file: str
    status: int
    body: bytes


class Capture:
    """A recorded folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.entries = json.loads((self.folder / "capture.json").read_text())["captures"]

    @property
    def expected(self):
        return json.loads((self.folder / "expected.json").read_text())["spans"]

    def replay(self, http=None, zipkin=None, grpc_target=None, compression=None):
        """Sends every entry that has an address among those given, in order."""
        sent = []
        for entry in self.entries:
            data = (self.folder / entry["file"]).read_bytes()
            if entry["kind"] == "http":
                target = zipkin if entry["path"].startswith("/api/v") else http
                sent.append(Sent(entry["file"], *send_http(target, data)))
            elif entry["kind"] == "grpc":
                answer = send_grpc(grpc_target, entry["path"], data[5:], entry["metadata"],
                                   compression)
                sent.append(Sent(entry["file"], 200, answer))
            elif entry["kind"] == "kafka":
                # A record's value is what a Zipkin client would have posted.
                head = (f"POST /api/v2/spans HTTP/1.1\r\nHost: {zipkin}\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
                sent.append(Sent(entry["file"], *send_http(zipkin, head.encode() + data)))
            # What is left are the bytes of whole HTTP/2 connections, which name the server's
            # settings of their day; their messages are among the gRPC entries.
        return sent


def send_http(target, data, timeout=30):
    """Sends raw HTTP/1.1 bytes and reads one answer: (status, body)."""
    host, port = target.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.sendall(data)
        with connection.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            length, chunked = 0, False
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                chunked |= name.lower() == "transfer-encoding" and "chunked" in value
            body = b""
            while chunked and (size := int(stream.readline().split(b";")[0], 16)):
                body += stream.read(size)
                stream.readline()
            return status, body if chunked else stream.read(length)


def send_grpc(target, method, payload, metadata=(), compression=None, timeout=30):
    """Calls a unary method with an encoded message and returns the encoded answer."""
    # A name of its own: the recorded client's user agent is not ours to send.
    named = [tuple(pair) for pair in metadata if pair[0] != "user-agent"]
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(
            method, request_serializer=lambda data: data, response_deserializer=lambda data: data)
        return call(payload, metadata=named, compression=compression, timeout=timeout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    for name in ("http", "zipkin", "grpc"):
        parser.add_argument(f"--{name}", metavar="HOST:PORT")
    arguments = parser.parse_args()
    for sent in Capture(arguments.folder).replay(
            arguments.http, arguments.zipkin, arguments.grpc):
        print(sent.file, sent.status, sent.body.decode("utf-8", "replace"))


if __name__ == "__main__":
    main()
