# SPDX-License-Identifier: Apache-2.0
"""The programs of the reference load: the corpus, its sender, and the floor under a receiver."""

import contextlib
import json
import pathlib
import signal
import socket
import subprocess
import sys

import machine

sys.path.insert(0, str(machine.ROOT / "Tests" / "blackbox"))

from skein_server import SkeinServer  # noqa: E402

# Spans of an hour. A longer store holds so many hours of them.
HOUR_SPANS = 1_000_000


def corpus(spans=HOUR_SPANS):
    """The corpus file, made once for a seed and a size."""
    file = machine.BUILD / f"corpus-{machine.SEED}-{spans}.otlpb"
    if not file.exists():
        half = file.with_suffix(".new")
        machine.run([
            machine.BUILD / "otlpgen", "--seed", machine.SEED, "--spans", spans, "--out", half])
        half.rename(file)
    return file


def batch_count(file):
    """How many requests a corpus file has."""
    count, offset, size = 0, 8, file.stat().st_size
    with open(file, "rb") as data:
        while offset < size:
            data.seek(offset)
            offset += 8 + int.from_bytes(data.read(4), "little")
            count += 1
    return count


def load(file, port, protocol="http", connections=2, pid=None, **options):
    """Sends a corpus and returns what the sender counted. Every request has to be accepted."""
    command = [
        machine.BUILD / "otlpload", "--corpus", file, "--port", port, "--proto", protocol,
        "--conns", connections]
    if pid:
        command += ["--pid", pid]
    for name, value in options.items():
        command += [f"--{name}", value]
    answer = json.loads(machine.run(command))
    if answer["bad_batches"] or answer["err"]:
        raise SystemExit(f"a request was not accepted: {answer}")
    return answer


class Rawsink:
    """The floor: parses, makes durable, answers and forgets."""

    def __init__(self, mode, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [str(machine.BUILD / "rawsink"), mode, str(self.port), str(folder / "sink")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if self.process.stderr.readline() != "ready\n":
            raise SystemExit("rawsink did not start")
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stderr.close()


@contextlib.contextmanager
def server(folder):
    """`skein serve`, started, on a new folder or on the one of an earlier server. Who uses it stops
    it; where that does not come to pass, it is killed."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    running = SkeinServer(folder).start()
    try:
        yield running
    finally:
        if running.is_alive:
            running.kill()


def stop(running):
    """Ends a server, which has to say that all went well."""
    code = running.stop()
    if code != 0:
        raise SystemExit(f"skein serve ended with {code}:\n{running.log_tail()}")


def require_stored(running, spans):
    """Every span that was acknowledged can be found."""
    stored = int(running.get("/api/skein/v1/status").json["spansStored"])
    if stored != spans:
        raise SystemExit(f"{stored} spans are stored, {spans} were acknowledged")
