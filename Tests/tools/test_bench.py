# SPDX-License-Identifier: Apache-2.0
"""Tests of the reference load's programs: the corpus is repeatable, all of it arrives."""

import json
import pathlib
import signal
import socket
import subprocess

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
SPANS = 5_000


@pytest.fixture(scope="module")
def build():
    subprocess.run(["make", "-s", "-C", str(BENCH)], check=True)
    return BENCH / "build"


def generate(build, file, seed):
    subprocess.run(
        [build / "otlpgen", "--seed", str(seed), "--spans", str(SPANS), "--out", file], check=True,
        stdout=subprocess.DEVNULL)
    return file.read_bytes()


def test_a_seed_gives_the_same_corpus_and_another_seed_another(build, tmp_path):
    first = generate(build, tmp_path / "a", 42)
    assert first.startswith(b"OTLPB01\n")
    assert first == generate(build, tmp_path / "b", 42)
    assert first != generate(build, tmp_path / "c", 43)


@pytest.mark.parametrize("mode", ["null", "walk", "sync", "zsync"])
def test_the_floor_receives_what_the_loader_sends(build, tmp_path, mode):
    corpus = tmp_path / "corpus"
    generate(build, corpus, 42)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = subprocess.Popen(
        [build / "rawsink", mode, str(port), tmp_path / "sink"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    try:
        assert sink.stderr.readline() == "ready\n"
        sent = json.loads(subprocess.run(
            [build / "otlpload", "--corpus", corpus, "--port", str(port), "--spans", str(SPANS)],
            check=True, capture_output=True, text=True).stdout)
    finally:
        sink.send_signal(signal.SIGTERM)
        received = json.loads(sink.communicate()[0])
    assert (sent["bad_batches"], sent["err"]) == (0, "")
    assert sent["spans"] >= SPANS
    assert received["spans"] == (0 if mode == "null" else sent["spans"])
    assert (received["written_bytes"] > 0) == (mode in ("sync", "zsync"))
