# SPDX-License-Identifier: Apache-2.0
"""What the server promises while its disk fails it: every call on the data directory, one by one."""

import errno
import os
import random
import resource
import time

import pytest

import faults
import ledger as ledgers

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
# Calls of each operation that the short form lets fail; the long form takes every one.
SAMPLE = int(os.environ.get("SKEIN_FAULTS", "6"))
REQUESTS = 6
RECOVERY_SECONDS_MAX = 5
WAYS = {
    "open": [errno.EIO, errno.ENOSPC, errno.EACCES],
    "write": [errno.EIO, errno.ENOSPC, errno.EINTR],
    "read": [errno.EIO, errno.EINTR],
    "sync": [errno.EIO, errno.ENOSPC],
    "rename": [errno.EIO, errno.ENOSPC],
    "remove": [errno.EIO],
    "allocate": [errno.ENOSPC, errno.EIO],
}
# No failing call may be answered with a permanent refusal of good spans.
RETRYABLE = {429, 503}


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return faults.build(tmp_path_factory.mktemp("shim"))


def send(server, ledger, number=REQUESTS):
    """Sends requests one by one; each is answered, and written into the ledger."""
    statuses = []
    for _ in range(number):
        request = ledger.new_request()
        answer = server.post_otlp(request.otlp())
        statuses.append(answer.status)
        if answer.status == 200:
            ledger.acknowledge(request)
        else:
            assert answer.status in RETRYABLE, answer.text
            # A failed write may have left the record behind: it was answered, but is unknown.
    return statuses


def live(server, ledger):
    """One life: start, write, stop cleanly so that parts are written, start again, read."""
    server.start()
    send(server, ledger)
    server.stop()


def attempt(server, ledger, armed):
    """A life in which one call fails. Whatever happens, it ends in an orderly way."""
    try:
        server.start()
    except AssertionError:
        # It refused to start: with a reason, never by a trap.
        assert server.process.returncode in (-9, 1, 2, 64, 66, 70, 73, 74, 75, 77, 78), \
            f"{armed}: ended with {server.process.returncode}\n{server.log_tail()}"
        assert server.process.returncode == -9 or "rror" in server.log_tail(), server.log_tail()
        return
    try:
        send(server, ledger)
    except OSError:
        assert server.process.wait(10) == -9, f"{armed}: {server.log_tail()}"
        return
    code = server.stop()
    assert code in (0, 1, -9), f"{armed}: ended with {code}\n{server.log_tail()}"


def check(server, ledger):
    server.environment = {}
    with server:
        ledger.check_all(server)


def every_fault(counts, chance):
    """(operation, call, effect, error) for a sample of the calls, or for all of them."""
    for operation, errors in WAYS.items():
        calls = list(range(1, counts[operation] + 1))
        if SAMPLE and len(calls) > SAMPLE:
            # The first and the last, and some between.
            calls = [calls[0], *chance.sample(calls[1:-1], SAMPLE - 2), calls[-1]]
        for call in calls:
            chosen = errors if not SAMPLE else [chance.choice(errors)]
            for error in chosen:
                yield operation, call, "fail", error
            if operation == "write":
                yield operation, call, "shorten", 0
            if operation in ("write", "sync", "rename", "remove"):
                yield operation, call, "kill", 0


@pytest.mark.fault
def test_no_failing_call_loses_an_acknowledged_span_or_ends_the_server(new_server, library):
    print(f"SEED={SEED} SKEIN_FAULTS={SAMPLE}")
    chance = random.Random(SEED)
    counting = new_server(folder="counting")
    control = faults.Faults(library, counting)
    book = ledgers.Ledger(SEED)
    live(counting, book)
    live(counting, book)
    counts = {name: calls // 2 + 1 for name, calls in control.calls.items()}
    for needed in ("open", "write", "sync", "rename"):
        assert counts[needed] > 1, f"no call of {needed} is seen: {counts}"
    tried = fired = 0
    for number, (operation, call, effect, error) in enumerate(every_fault(counts, chance)):
        armed = f"{operation} {call} {effect} {error and faults.name_of(error)}"
        server = new_server(folder=f"fault-{number}")
        ledger = ledgers.Ledger(SEED + number)
        control = faults.Faults(library, server)
        server.start()
        send(server, ledger, 3)
        server.kill()
        # Half of the lives have the call fail for good.
        sticky = effect == "fail" and error != errno.EINTR and chance.random() < 0.5
        control.arm(operation, call, effect, error, sticky)
        attempt(server, ledger, armed + (" and all after it" if sticky else ""))
        tried += 1
        fired += control.fired > 0
        try:
            check(server, ledger)
        except AssertionError as failure:
            raise AssertionError(f"{armed}, sticky {sticky}, SEED={SEED}: {failure}") from failure
    print(f"{tried} faults armed, {fired} happened")
    assert fired > tried / 2, "most of the faults never happened: the sweep misses the calls"


def test_after_a_failed_sync_nothing_is_acknowledged_that_could_be_lost(new_server, library):
    server = new_server()
    control = faults.Faults(library, server)
    ledger = ledgers.Ledger(SEED)
    server.start()
    assert send(server, ledger) == [200] * REQUESTS
    control.arm("sync", 1, sticky=True)
    request = ledger.new_request()
    answer = server.post_otlp(request.otlp())
    assert answer.status == 503, answer.text
    control.disarm()
    # Reads go on, and so does the promise: what is answered with 200 from now on is kept.
    for known in ledger.acknowledged.values():
        ledger.check_trace(server, known, must_be_there=True)
    send(server, ledger)
    server.kill()
    check(server, ledger)


def test_a_full_disk_refuses_writes_keeps_queries_alive_and_recovers_alone(new_server, library):
    server = new_server()
    control = faults.Faults(library, server)
    ledger = ledgers.Ledger(SEED)
    server.start()
    send(server, ledger)
    for operation in ("write", "allocate", "sync"):
        control.arm(operation, 1, "fail", errno.ENOSPC, sticky=True)
        request = ledger.new_request()
        answer = server.post_otlp(request.otlp())
        if operation != "allocate":  # There may be room in the open segment.
            assert answer.status == 503, answer.text
            assert 1 <= int(answer.headers["retry-after"]) <= 30
        elif answer.status == 200:
            ledger.acknowledge(request)
        for known in ledger.acknowledged.values():
            ledger.check_trace(server, known, must_be_there=True)
        control.disarm()
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while True:
            request = ledger.new_request()
            answer = server.post_otlp(request.otlp())
            if answer.status == 200:
                ledger.acknowledge(request)
                break
            assert time.monotonic() < deadline, f"{operation}: still refuses: {answer.text}"
            time.sleep(0.05)  # Between two tries; the loop ends by the deadline.
    assert server.stop() == 0
    check(server, ledger)


def test_a_small_limit_of_open_files_costs_no_acknowledged_span(new_server):
    server = new_server()
    ledger = ledgers.Ledger(SEED)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (96, hard))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    send(server, ledger)
    idle = []
    try:
        # More connections than there are files left.
        for _ in range(120):
            connection = server.connect("otlp-http", timeout=2)
            try:
                connection.connect()
            except OSError:
                break
            idle.append(connection)
    finally:
        for connection in idle:
            connection.close()
    assert server.is_alive, server.log_tail()
    send(server, ledger)
    assert server.stop() == 0
    check(server, ledger)


def test_the_shim_makes_calls_fail(new_server, library):
    """The tool itself has to be able to do harm: without its fault the same request is taken."""
    server = new_server()
    control = faults.Faults(library, server)
    ledger = ledgers.Ledger(SEED)
    server.start()
    before = control.calls["write"]
    assert send(server, ledger, 1) == [200]
    assert control.calls["write"] > before
    # Every write from here on, for the log's next segment is made ready in the background.
    control.arm("write", 1, sticky=True)
    assert send(server, ledger, 1) == [503]
    assert control.fired >= 1
