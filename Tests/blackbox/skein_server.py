# SPDX-License-Identifier: Apache-2.0
"""Runs the real `bin/skein` on free ports over a temporary folder, and asks it things."""

import dataclasses
import http.client
import json
import os
import pathlib
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SKEIN_BINARY", ROOT / "bin" / "skein"))
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
LISTENERS = ("http", "otlp-http", "otlp-grpc", "zipkin")
# Others are bound when asked for: SkeinServer(…, listeners=("jaeger-grpc",)).


@dataclasses.dataclass
class Answer:
    """An HTTP answer, read whole. Names of headers are in lower case."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class SkeinServer:
    """One server process, of `serve` or of `demo`. `start` returns when all its ports answer."""

    def __init__(self, folder, *arguments, command="serve", durability="fsync", listeners=()):
        self.command = command
        self.listeners = LISTENERS + tuple(listeners)
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "skein.log"
        # Golden requests carry the times of their recording: no age is too old for these tests.
        self.arguments = ["--retention", "36500d", "--durability", durability, *arguments]
        self.process = None
        self.addresses = {}
        # Set in the server's environment, beside ours.
        self.environment = {}

    def start(self):
        ports = self.folder / f"ports-{time.monotonic_ns()}.json"
        command = [
            str(BINARY), self.command, "--data", str(self.data), "--ports-file", str(ports)]
        for listener in self.listeners:
            command += [f"--{listener}", "127.0.0.1:0"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command + self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment})
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"skein {self.command} ended with {self.process.returncode}:\n{self.log_tail()}")
            if ports.exists() and (text := ports.read_text()).rstrip().endswith("}"):
                break
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"no ports after {START_SECONDS_MAX} s:\n{self.log_tail()}")
            time.sleep(0.005)  # Between two looks at the file; the loop ends by the deadline.
        found = json.loads(text)
        self.addresses = {name: ("127.0.0.1", found[name]) for name in self.listeners}
        ports.unlink()
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def stop(self):
        """Asks the server to stop and returns its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {STOP_SECONDS_MAX} s after SIGTERM:\n"
                                 f"{self.log_tail()}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def is_alive(self):
        return self.process.poll() is None

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text("utf-8", "replace").split("\n")[-lines:])

    def address(self, listener):
        """`HOST:PORT` of a listener."""
        host, port = self.addresses[listener]
        return f"{host}:{port}"

    def url(self, listener, path=""):
        return f"http://{self.address(listener)}{path}"

    def connect(self, listener, timeout=30):
        host, port = self.addresses[listener]
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def request(self, listener, method, path, body=None, headers=None, timeout=30):
        connection = self.connect(listener, timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()

    def get(self, path, listener="http", **parameters):
        """GETs a page; a parameter with a list of values is repeated, None is left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        query = urllib.parse.urlencode(given, doseq=True)
        return self.request(listener, "GET", f"{path}?{query}" if query else path)

    def post_otlp(self, body, content_type="application/x-protobuf", path="/v1/traces", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "otlp-http", "POST", path, body, {"content-type": content_type, **named})

    def search(self, **parameters):
        """Trace summaries from the native API."""
        answer = self.get("/api/skein/v1/traces", **parameters)
        assert answer.status == 200, answer.text
        return answer.json

    def trace(self, trace_id):
        """The OTLP JSON of one trace, or None when it is not there."""
        answer = self.get(f"/api/skein/v1/traces/{trace_id}")
        if answer.status == 404:
            return None
        assert answer.status == 200, answer.text
        return answer.json
