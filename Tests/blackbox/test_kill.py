# SPDX-License-Identifier: Apache-2.0
"""Nothing acknowledged is lost or doubled by kill -9 at any moment, also while it recovers."""

import os
import random
import subprocess
import time

import pytest

import ledger as ledgers

KILLS = int(os.environ.get("SKEIN_KILLS", "200"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
# How long a server lives under load, seconds.
LIFE = (0.002, 0.12)
# One kill in so many hits the next start while it recovers.
RECOVERY_KILL_EVERY = 5
# One kill in so many comes after SIGTERM, while the server writes what it holds into parts.
STOPPING_KILL_EVERY = 4
# Requests of the last lives that are read back at each start; the end reads back all.
READ_BACK_MAX = 40


def kill_while_starting(server, chance):
    """Starts a server and kills it before or soon after it is ready."""
    command = [str(part) for part in server.process.args]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0.001, 0.08))
    process.kill()
    process.wait()


@pytest.mark.kill
def test_no_acknowledged_span_is_lost_or_doubled_by_kills(new_server):
    print(f"SEED={SEED} SKEIN_KILLS={KILLS}")
    chance = random.Random(SEED)
    ledger = ledgers.Ledger(SEED)
    server = new_server()
    kills, recent, refused = 0, [], {}
    while kills < KILLS:
        server.start()
        for request in recent[-READ_BACK_MAX:]:
            ledger.check_trace(server, request, must_be_there=True)
        before = set(ledger.acknowledged)
        load = ledgers.Load(server, ledger)
        assert load.first_answer.wait(20), server.log_tail()
        ledgers.pause(chance.uniform(*LIFE))
        assert ledger.refused == refused, "refused although the server was not stopping"
        if chance.randrange(STOPPING_KILL_EVERY) == 0:
            server.process.terminate()
            ledgers.pause(chance.uniform(0, 0.05))
        server.kill()
        load.join()
        kills += 1
        refused = dict(ledger.refused)
        recent = [ledger.acknowledged[number] for number in sorted(
            set(ledger.acknowledged) - before)]
        if chance.randrange(RECOVERY_KILL_EVERY) == 0 and kills < KILLS:
            kill_while_starting(server, chance)
            kills += 1
    with server:
        ledger.check_all(server)
    print(f"{kills} kills, {len(ledger.acknowledged)} requests acknowledged, "
          f"{len(ledger.unknown)} unknown, {len(ledger.refused)} refused")
    assert len(ledger.acknowledged) > KILLS
    assert set(ledger.refused.values()) <= {429, 503}, "what is refused is to be tried again"


def test_a_clean_stop_answers_what_it_took_and_loses_nothing(new_server):
    ledger = ledgers.Ledger(SEED)
    server = new_server().start()
    load = ledgers.Load(server, ledger)
    assert load.first_answer.wait(20), server.log_tail()
    ledgers.pause(0.2)
    assert server.stop() == 0
    load.join()
    with server:
        ledger.check_all(server)
    assert ledger.acknowledged


def test_the_ledger_sees_a_lost_and_a_doubled_span(server):
    """The checker itself has to be able to fail."""
    ledger = ledgers.Ledger(1)
    lost = ledger.new_request()
    ledger.acknowledge(lost)
    with pytest.raises(AssertionError, match="lost"):
        ledger.check_trace(server, lost, must_be_there=True)
    other = ledger.new_request()
    body = ledgers.Request(other.number, other.span_count + 1).otlp()
    assert server.post_otlp(body).status == 200
    with pytest.raises(AssertionError, match="not as it was sent"):
        ledger.check_trace(server, other, must_be_there=True)
