# SPDX-License-Identifier: Apache-2.0
"""A traced service whose collector is in trouble keeps going: its memory is bounded, every span is
accounted for, and its log is not flooded. What its requests noticed is written to artifacts/.

SKEIN_OUTAGE_SECONDS says how long the trouble lasts: 4 by default, 600 in `make test-slow`.
"""

import json
import os
import pathlib
import subprocess

import pytest

from peer_program import program
from troubled_collector import Collector, unused_url

SECONDS = int(os.environ.get("SKEIN_OUTAGE_SECONDS", "4"))
HANDLERS_A_SECOND = int(os.environ.get("SKEIN_OUTAGE_RATE", "1000"))
# What tracing may add to the memory of an idle process.
MEMORY_KILOBYTES_MAX = 16 << 10
REPORT = pathlib.Path(__file__).resolve().parents[2] / "artifacts" / "outages.json"
# Trouble, and the reasons for which spans may have been dropped before the service was shut down.
TROUBLES = {
    "healthy": set(),
    "absent": {"attemptsUsedUp"}, "hang": {"attemptsUsedUp"}, "drip": {"attemptsUsedUp"},
    "garbage": {"attemptsUsedUp"}, "429": {"attemptsUsedUp"}, "503": {"attemptsUsedUp"},
    "500": {"refused"}, "endless": set(), "tls": {"attemptsUsedUp"}, "name": {"attemptsUsedUp"},
}
CASES = [(trouble, "small") for trouble in TROUBLES] + [
    ("absent", "large"), ("hang", "large"), ("endless", "large"), ("healthy", "large")]


class Outage:
    """One service and its collector, running."""

    def __init__(self, trouble, size):
        self.collector = None
        if trouble == "absent":
            url = unused_url()
        elif trouble == "name":
            url = "http://no-such-host.invalid:4318"
        else:
            self.collector = Collector("garbage" if trouble == "tls" else trouble)
            url = self.collector.url
            if trouble == "tls":
                url = url.replace("http:", "https:")
        self.process = subprocess.Popen(
            [program("Outages"), url, str(SECONDS), str(HANDLERS_A_SECOND), size],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        out, errors = self.process.communicate(timeout=SECONDS + 120)
        if self.collector:
            self.collector.stop()
        assert self.process.returncode == 0, errors
        return json.loads(out)


@pytest.fixture(scope="module")
def reports():
    """All at once: trouble takes time, not work."""
    running = {case: Outage(*case) for case in CASES}
    found = {case: outage.end() for case, outage in running.items()}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(
        {f"{trouble}, {size}": report for (trouble, size), report in found.items()}, indent=2))
    return found


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def case(request, reports):
    return *request.param, reports[request.param]


def test_every_span_is_accounted_for(case):
    _, _, report = case
    assert report["expectedSpanCount"] > 0
    for moment in ("counters", "countersAfterShutdown"):
        counters = report[moment]
        assert counters["started"] == report["expectedSpanCount"]
        assert counters["abandoned"] == 0 and counters["ended"] == counters["started"]
        assert counters["ended"] == (
            counters["queued"] + counters["exported"] + counters["rejected"]
            + sum(counters["dropped"].values()))
    assert report["countersAfterShutdown"]["queued"] == 0


def test_spans_are_dropped_for_the_reason_there_is(case):
    trouble, _, report = case
    before, after = report["counters"], report["countersAfterShutdown"]
    assert set(before["dropped"]) <= TROUBLES[trouble] | {"bufferFull"}
    assert set(after["dropped"]) <= TROUBLES[trouble] | {"bufferFull", "shutDown"}
    assert (after["exported"] > 0) == (trouble in ("healthy", "endless"))


def test_memory_is_bounded(case):
    _, _, report = case
    assert report["peakKilobytes"] - report["idleKilobytes"] <= MEMORY_KILOBYTES_MAX


def test_the_log_is_not_flooded(case):
    trouble, _, report = case
    # One in ten seconds, and one at once.
    assert report["warningCount"] <= SECONDS // 10 + 2
    if trouble not in ("healthy", "endless"):
        assert report["warningCount"] >= 1


def test_requests_go_on(case):
    _, _, report = case
    # Turns with spans and without take a tenth of a second each.
    assert report["traced"]["requestCount"] > 0 and report["untraced"]["requestCount"] > 0
