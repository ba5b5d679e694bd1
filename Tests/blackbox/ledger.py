# SPDX-License-Identifier: Apache-2.0
"""The book that says what a server may and must have stored.

Every request is one trace of its own, with unique ids and a content that follows from them. A
request that was answered with success is *acknowledged*: all of it has to be found, once. One that
got no answer is *unknown*: it may be there, but whole and once. One that was refused must not be.
"""

import dataclasses
import json
import random
import socket
import struct
import threading
import time

import grpc

import otlp

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS_PER_TRACE_MAX = 8


def mark(span_id):
    """The content of a span, derived from its id."""
    return f"{(span_id * 0x9E3779B97F4A7C15) & (1 << 64) - 1:016x}"


@dataclasses.dataclass(frozen=True)
class Request:
    """A trace to send. Its spans are numbered from 1."""

    number: int
    span_count: int

    @property
    def trace_id(self):
        return f"{0x1ED6E4:016x}{self.number:016x}"

    def span_ids(self):
        return [self.number * 16 + index + 1 for index in range(self.span_count)]

    @property
    def start(self):
        return otlp.BASE_TIME + self.number * 1_000_000

    def otlp(self):
        spans = []
        for index, span_id in enumerate(self.span_ids()):
            parent = struct.pack(">Q", self.number * 16 + 1) if index else b""
            spans.append(otlp.span(
                bytes.fromhex(self.trace_id), struct.pack(">Q", span_id), f"step {index}",
                parent=parent, start=self.start + index, duration=1000,
                values={"mark": mark(span_id), "number": self.number}))
        return otlp.request(spans, service="ledger")

    def zipkin(self):
        return json.dumps([
            {
                "traceId": self.trace_id, "id": f"{span_id:016x}", "name": f"step {index}",
                **({"parentId": f"{self.number * 16 + 1:016x}"} if index else {}),
                "timestamp": self.start // 1000 + index, "duration": 1,
                "localEndpoint": {"serviceName": "ledger"}, "tags": {"mark": mark(span_id)},
            }
            for index, span_id in enumerate(self.span_ids())
        ]).encode()


class Ledger:
    """Numbers requests, and keeps what became of them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.next_number = 1
        self.acknowledged = {}
        self.unknown = {}
        self.refused = {}

    def new_request(self):
        with self.lock:
            request = Request(self.next_number, self.random.randint(1, SPANS_PER_TRACE_MAX))
            self.next_number += 1
            # Until it is answered nobody knows.
            self.unknown[request.number] = request
            return request

    def acknowledge(self, request):
        with self.lock:
            del self.unknown[request.number]
            self.acknowledged[request.number] = request

    def refuse(self, request, status):
        with self.lock:
            del self.unknown[request.number]
            self.refused[request.number] = status

    def check_trace(self, server, request, must_be_there):
        """Whether the trace is stored; fails unless it is whole and as it was sent."""
        document = server.trace(request.trace_id)
        if document is None:
            assert not must_be_there, f"lost: request {request.number} was acknowledged"
            return False
        marks = {}
        for item in otlp.flatten(document):
            span_id = int(item["spanId"], 16)
            assert span_id not in marks, f"span {span_id} of request {request.number} stands twice"
            marks[span_id] = item["attributes"]["mark"]
        assert marks == {span_id: mark(span_id) for span_id in request.span_ids()}, \
            f"request {request.number} is not as it was sent"
        return True

    def check_all(self, server):
        """Checks every request, by its id and by the list of all traces."""
        listed = {}
        for summary in all_summaries(server, "ledger"):
            assert summary["traceId"] not in listed, f"{summary['traceId']} is listed twice"
            listed[summary["traceId"]] = summary["spanCount"]
        for request in self.acknowledged.values():
            assert listed.get(request.trace_id) == request.span_count, \
                f"request {request.number}: {listed.get(request.trace_id)} spans listed, " \
                f"{request.span_count} acknowledged"
            self.check_trace(server, request, must_be_there=True)
        for request in self.unknown.values():
            stored = self.check_trace(server, request, must_be_there=False)
            assert listed.get(request.trace_id, 0) == (request.span_count if stored else 0)
        allowed = {request.trace_id for request in self.acknowledged.values()}
        allowed |= {request.trace_id for request in self.unknown.values()}
        assert listed.keys() <= allowed, "something is stored that was refused or never sent"


def all_summaries(server, service, page=500):
    """Every trace of a service, page by page."""
    cursor = None
    while True:
        found = server.search(
            service=service, start=0, end=2**63 - 1, limit=page, order="newest", cursor=cursor)
        assert found["complete"] is True, found["incompleteReasons"]
        yield from found["traces"]
        cursor = found.get("cursor")
        if not cursor:
            return


class Load:
    """Threads that send one request after the other, over each protocol, until they are cut off."""

    def __init__(self, server, ledger):
        self.server, self.ledger = server, ledger
        self.stopping = threading.Event()
        self.first_answer = threading.Event()
        jobs = [self._http_job("otlp-http", "/v1/traces", "application/x-protobuf", Request.otlp)
                for _ in range(2)]
        jobs.append(self._http_job("zipkin", "/api/v2/spans", "application/json", Request.zipkin))
        jobs.append(self._grpc_job)
        self.threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self.threads:
            thread.start()

    def join(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a sender hangs although its server is dead"

    def _http_job(self, listener, path, content_type, encode):
        head = (f"POST {path} HTTP/1.1\r\nhost: skein\r\ncontent-type: {content_type}\r\n"
                "content-length: ").encode()

        def job():
            try:
                with socket.create_connection(self.server.addresses[listener], 20) as connection:
                    stream = connection.makefile("rb")
                    while not self.stopping.is_set():
                        request = self.ledger.new_request()
                        body = encode(request)
                        connection.sendall(head + b"%d\r\n\r\n" % len(body) + body)
                        status = read_status(stream)
                        if status is None:
                            return
                        if status not in (200, 202):
                            self.ledger.refuse(request, status)
                            return
                        self.ledger.acknowledge(request)
                        self.first_answer.set()
            except OSError:
                return

        return job

    def _grpc_job(self):
        with grpc.insecure_channel(self.server.address("otlp-grpc")) as channel:
            call = channel.unary_unary(EXPORT, lambda data: data, lambda data: data)
            while not self.stopping.is_set():
                request = self.ledger.new_request()
                try:
                    call(request.otlp(), timeout=20)
                except grpc.RpcError as error:
                    if error.code() not in (grpc.StatusCode.UNAVAILABLE,
                                            grpc.StatusCode.CANCELLED,
                                            grpc.StatusCode.DEADLINE_EXCEEDED):
                        self.ledger.refuse(request, error.code())
                    # A server that pushes back answers UNAVAILABLE too: whether this request was
                    # stored stays unknown.
                    return
                self.ledger.acknowledge(request)
                self.first_answer.set()


def read_status(stream):
    """Reads one HTTP answer and gives its status, or None when the connection broke."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        return None
    length = 0
    while True:
        header = stream.readline()
        if header == b"\r\n":
            break
        if not header.endswith(b"\r\n"):
            return None
        if header.lower().startswith(b"content-length:"):
            length = int(header.split(b":")[1])
    if len(stream.read(length)) != length:
        return None
    return int(line.split()[1])


def pause(seconds):
    """Lets the load run on: the moment of a kill is what these tests vary."""
    time.sleep(seconds)
