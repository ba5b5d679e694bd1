# SPDX-License-Identifier: Apache-2.0
"""What becomes of data: deleting a trace, backups, verifying, retention, folders that are refused."""

import json
import os
import random
import shutil
import struct
import subprocess
import time

import pytest

import ledger as ledgers
import otlp
from skein_server import BINARY
from test_cli import said, skein

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
KILLED_BACKUPS = 12


def files_with(folder, needle):
    return [str(path) for path in sorted(folder.rglob("*"))
            if path.is_file() and needle in path.read_bytes()]


def secret_request(number, secret, trace_id):
    span = otlp.span(trace_id, struct.pack(">Q", number), "pay", start=otlp.BASE_TIME + number,
                     duration=1000, values={"secret": secret})
    return otlp.request([span], service="vault")


def reason(server, trace_id):
    """Why a trace is not there, as the native API says it."""
    answer = server.get(f"/api/skein/v1/traces/{trace_id}")
    assert answer.status == 404
    return answer.json["error"]["reason"]


def test_a_trace_below_every_threshold_was_sampled_out(new_server):
    server = new_server().start()
    kept = bytes.fromhex("00" * 8 + "00c1" + "00" * 6)
    span = {"traceId": kept.hex(), "spanId": "01" * 8, "name": "pay", "traceState": "ot=th:c",
            "startTimeUnixNano": str(otlp.BASE_TIME), "endTimeUnixNano": str(otlp.BASE_TIME + 1)}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert server.post_otlp(json.dumps(body).encode(), "application/json").status == 200
    assert reason(server, "00" * 8 + "00b1" + "00" * 6) == "sampledOut"
    assert reason(server, "00" * 8 + "00d1" + "00" * 6) == "neverSeen"
    del span["traceState"]
    span["spanId"] = "02" * 8
    assert server.post_otlp(json.dumps(body).encode(), "application/json").status == 200
    assert reason(server, "00" * 8 + "00b1" + "00" * 6) == "neverSeen"
    assert server.stop() == 0


# Deleting a trace

def test_a_deleted_trace_leaves_no_byte_behind(new_server):
    trace_id = bytes.fromhex("7e57" * 8)
    other_id = bytes.fromhex("0123" * 8)
    server = new_server().start()
    # Texts that no compression takes apart: digits of which each is as likely as another.
    secrets = [os.urandom(12).hex() for _ in range(3)]
    for number, secret in enumerate(secrets, 1):
        assert server.post_otlp(secret_request(number, secret, trace_id)).status == 200
        assert server.post_otlp(secret_request(number + 10, "no secret", other_id)).status == 200
        if number == 2:
            # Into a part, by way of a clean stop.
            assert server.stop() == 0
            server.start()
    assert files_with(server.data, secrets[2].encode()), "the log has it"

    deleted = skein("delete", trace_id.hex(), "--address", server.url("http"))
    assert deleted.returncode == 0, said(deleted)
    assert "3 spans" in deleted.stdout
    assert server.trace(trace_id.hex()) is None
    for secret in secrets:
        assert files_with(server.data, secret.encode()) == []
    assert len(otlp.flatten(server.trace(other_id.hex()))) == 3
    again = skein("delete", trace_id.hex(), "--address", server.url("http"))
    assert again.returncode == 0 and "0 spans" in again.stdout

    server.kill()
    with server:
        assert server.trace(trace_id.hex()) is None
        assert len(otlp.flatten(server.trace(other_id.hex()))) == 3
        assert "skein_store_deleted_spans_total 0" in server.get("/metrics").text
        # A trace that comes again is stored again.
        assert server.post_otlp(secret_request(1, secrets[0], trace_id)).status == 200
        assert len(otlp.flatten(server.trace(trace_id.hex()))) == 1


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    # A name that was made to point here: the page's origin and the host agree.
    {"origin": "http://evil.example", "host": "evil.example"},
])
def test_a_page_of_another_origin_cannot_delete(server, headers):
    trace_id = bytes.fromhex("0f0e" * 8)
    assert server.post_otlp(secret_request(1, "mine", trace_id)).status == 200
    path = f"/api/skein/v1/traces/{trace_id.hex()}"
    answer = server.request("http", "DELETE", path, headers=headers)
    assert answer.status == 403, answer.text
    assert server.trace(trace_id.hex()) is not None
    # No answer invites another origin either.
    assert "access-control-allow-origin" not in answer.headers
    asked = server.request("http", "OPTIONS", path, headers=headers)
    assert "access-control-allow-origin" not in asked.headers


def test_our_own_page_and_programs_can_delete(server):
    for headers in ({}, {"origin": server.url("http"), "sec-fetch-site": "same-origin"}):
        trace_id = os.urandom(16)
        assert server.post_otlp(secret_request(1, "mine", trace_id)).status == 200
        path = f"/api/skein/v1/traces/{trace_id.hex()}"
        answer = server.request("http", "DELETE", path, headers=headers)
        assert answer.status == 200, answer.text
        assert answer.json == {"traceId": trace_id.hex(), "spanCount": 1, "complete": True,
                               "incompleteReasons": []}


def test_what_is_no_id_is_refused(server):
    for wrong in ("xyz", "0", "0" * 33):
        answer = server.request("http", "DELETE", f"/api/skein/v1/traces/{wrong}")
        assert answer.status == 400, answer.text
    result = skein("delete", "xyz", "--address", server.url("http"))
    assert result.returncode == 64 and "hexadecimal" in said(result)
    answer = server.request("http", "DELETE", "/api/skein/v1/traces")
    assert answer.status == 405


# Backups

def restored_server(new_server, backup, folder):
    """A server over what `backup` brings back."""
    server = new_server(folder=folder)
    result = skein("restore", backup, "--data", server.data)
    assert result.returncode == 0, said(result)
    return server


def test_a_backup_under_load_has_everything_that_was_acknowledged(new_server, tmp_path):
    print(f"SEED={SEED}")
    ledger = ledgers.Ledger(SEED)
    server = new_server().start()
    load = ledgers.Load(server, ledger)
    backups = []
    for number in range(3):
        assert load.first_answer.wait(20), server.log_tail()
        ledgers.pause(0.2)
        with ledger.lock:
            before = set(ledger.acknowledged)
        backup = tmp_path / f"backup{number}"
        result = skein("backup", "--data", server.data, backup)
        assert result.returncode == 0, said(result)
        backups.append((backup, before))
        # The running store is sound too, whatever is written meanwhile.
        found = skein("verify", server.data)
        assert found.returncode == 0, said(found)
    assert server.stop() == 0
    load.join()
    for number, (backup, before) in enumerate(backups):
        found = skein("verify", backup)
        assert found.returncode == 0 and "sound" in found.stdout, said(found)
        with restored_server(new_server, backup, f"restored{number}") as restored:
            for request in [ledger.acknowledged[number] for number in before]:
                ledger.check_trace(restored, request, must_be_there=True)
            listed = {summary["traceId"] for summary in ledgers.all_summaries(restored, "ledger")}
            known = {request.trace_id
                     for request in [*ledger.acknowledged.values(), *ledger.unknown.values()]}
            assert listed <= known
            assert "skein_store_damaged_records 0" in restored.get("/metrics").text
    assert len(backups[-1][1]) > len(backups[0][1]) > 0


def test_a_killed_backup_is_never_taken_for_a_good_one(new_server, tmp_path):
    print(f"SEED={SEED}")
    chance = random.Random(SEED)
    ledger = ledgers.Ledger(SEED)
    with new_server() as server:
        for _ in range(40):
            request = ledger.new_request()
            assert server.post_otlp(request.otlp()).status == 200
            ledger.acknowledge(request)
        killed = 0
        backup = tmp_path / "backup"
        for _ in range(KILLED_BACKUPS):
            process = subprocess.Popen(
                [str(BINARY), "backup", "--data", str(server.data), str(backup)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.002, 0.06))  # The moment of the kill is what varies.
            process.kill()
            process.wait()
            if backup.exists():
                assert skein("verify", backup).returncode == 0
                shutil.rmtree(backup)
            else:
                killed += 1
                partial = tmp_path / "backup.partial"
                if partial.exists():
                    result = skein("restore", partial, "--data", tmp_path / "never")
                    assert result.returncode == 1 and "interrupted" in said(result)
        result = skein("backup", "--data", server.data, backup)
        assert result.returncode == 0, said(result)
        assert not (tmp_path / "backup.partial").exists()
    print(f"{killed} of {KILLED_BACKUPS} backups were killed before they were done")
    with restored_server(new_server, backup, "restored") as restored:
        ledger.check_all(restored)


def test_a_stopped_store_is_backed_up_too_and_answers_are_equal(new_server, tmp_path):
    ledger = ledgers.Ledger(SEED)
    with new_server() as server:
        for _ in range(20):
            request = ledger.new_request()
            assert server.post_otlp(request.otlp()).status == 200
            ledger.acknowledge(request)
        asked = ["/api/skein/v1/traces?service=ledger&start=0&end=9000000000000000000",
                 "/api/skein/v1/operations", "/api/skein/v1/keys"]
        answers = [server.get(path).body for path in asked]
    backup = tmp_path / "backup"
    assert skein("backup", "--data", server.data, backup).returncode == 0
    with restored_server(new_server, backup, "restored") as restored:
        assert [restored.get(path).body for path in asked] == answers
        ledger.check_all(restored)
    assert skein("verify", backup).returncode == 0, "what was restored is the copy's own"


@pytest.mark.parametrize("command", ["backup", "restore", "verify", "serve"])
def test_folders_that_are_something_else_are_named_and_left_alone(tmp_path, command):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter1.tex").write_text("precious")
    arguments = {
        "backup": ["--data", folder, tmp_path / "backup"],
        "restore": [folder, "--data", tmp_path / "data"],
        "verify": [folder],
        "serve": ["--data", folder],
    }[command]
    result = skein(command, *arguments)
    assert result.returncode == 1
    assert str(folder) in said(result)
    assert len(said(result).strip().split("\n")) == 1, said(result)
    assert [path.name for path in folder.iterdir()] == ["chapter1.tex"]


def test_what_is_in_the_way_is_named(new_server, tmp_path):
    with new_server() as server:
        assert server.post_otlp(otlp.rich_request(1)[0]).status == 200
    backup = tmp_path / "backup"
    assert skein("backup", "--data", server.data, backup).returncode == 0
    for arguments in (["backup", "--data", server.data, backup],
                      ["restore", backup, "--data", server.data],
                      ["serve", "--data", backup],
                      ["backup", "--data", tmp_path / "nothing", tmp_path / "other"]):
        result = skein(*arguments)
        assert result.returncode == 1, arguments
        assert len(said(result).strip().split("\n")) == 1, said(result)
        assert str(tmp_path) in said(result)
    assert skein("verify", backup).returncode == 0
    assert skein("verify", server.data).returncode == 0


# Verifying, and what is damaged

def test_damage_is_found_named_and_said_only_where_it_matters(new_server):
    server = new_server().start()
    first, first_id = otlp.rich_request(1)
    assert server.post_otlp(first).status == 200
    assert server.stop() == 0
    server.start()
    second = secret_request(1, "other", bytes.fromhex("abcd" * 8))
    assert server.post_otlp(second).status == 200
    assert server.stop() == 0
    parts = sorted((server.data / "parts").iterdir())
    assert len(parts) == 2
    broken = bytearray(parts[0].read_bytes())
    broken[40] ^= 0xFF
    parts[0].write_bytes(broken)
    found = skein("verify", server.data)
    assert found.returncode == 1
    assert f"DAMAGED  parts/{parts[0].name}" in found.stdout
    assert f"ok       parts/{parts[1].name}" in found.stdout

    with server:
        answer = server.get(f"/api/skein/v1/traces/{first_id}")
        assert answer.status == 404 or "skein-incomplete" in answer.headers
        whole = server.get(f"/api/skein/v1/traces/{'abcd' * 8}")
        assert whole.status == 200 and "skein-incomplete" not in whole.headers
        assert server.get("/api/skein/v1/status").json["partsSetAside"] == 1
    assert (server.data / "quarantine" / parts[0].name).exists()
    found = skein("verify", server.data)
    assert found.returncode == 1
    assert f"quarantine/{parts[0].name}" in found.stdout
    assert parts[0].name in skein("inspect", server.data).stdout


# Retention by bytes

def test_the_oldest_spans_go_when_there_are_too_many_bytes(new_server):
    server = new_server()
    chance = random.Random(SEED)
    ids = []
    for number in range(4):
        trace_id = struct.pack(">QQ", 1, number + 1)
        ids.append(trace_id.hex())
        server.start()
        spans = [otlp.span(trace_id, struct.pack(">Q", index + 1), "large",
                           start=otlp.BASE_TIME + index, duration=5,
                           values={"noise": chance.randbytes(700).hex()})
                 for index in range(800)]
        assert server.post_otlp(otlp.request(spans, service="large")).status == 200
        assert server.stop() == 0
    sizes = [path.stat().st_size for path in sorted((server.data / "parts").iterdir())]
    assert len(sizes) == 4 and min(sizes) > 500_000
    server.arguments += ["--retention-bytes", "1500kB"]
    server.start()
    deadline = time.monotonic() + 20
    while "skein_store_parts 2" not in (metrics := server.get("/metrics").text):
        assert time.monotonic() < deadline, metrics
        time.sleep(0.05)  # Between two looks; the loop ends by the deadline.
    assert "skein_store_evicted_spans_total 1600" in metrics
    assert "skein_store_expired_parts_total 2" in metrics
    assert sum(path.stat().st_size for path in (server.data / "parts").iterdir()) <= 1_500_000
    assert [server.trace(trace_id) is not None for trace_id in ids] == [False, False, True, True]
    assert server.stop() == 0


# Totals that outlive spans

def totals(server, route, parameters):
    """An answer over all time: totals widen what is asked to whole minutes."""
    answer = server.get(f"/api/skein/v1/totals/{route}?start=0&{parameters}")
    assert answer.status == 200, answer.text
    return json.loads(answer.body)


def test_totals_are_the_same_when_the_spans_are_gone(new_server):
    server = new_server()
    chance = random.Random(SEED)
    server.start()
    trace_ids = [struct.pack(">QQ", 7, number + 1) for number in range(40)]
    for half, service in enumerate(["shop", "bank"]):
        # Each trace lies in two parts: the caller in one, its calls in the other.
        spans = []
        for trace_id in trace_ids:
            for number in range(1 + half * 2):
                spans.append(otlp.span(
                    trace_id, struct.pack(">Q", 1 + half * 10 + number), f"step{number}",
                    parent=struct.pack(">Q", 1) if half else b"",
                    start=otlp.BASE_TIME + chance.randrange(3_000_000_000_000),
                    duration=chance.randrange(1, 10_000_000_000)))
        assert server.post_otlp(otlp.request(spans, service=service)).status == 200
        assert server.stop() == 0
        server.start()
    questions = [(route, parameters) for route in ("operations", "edges")
                 for parameters in ("", "quantiles=0,0.5,1", "service=bank",
                                    f"end={otlp.BASE_TIME + 1_000_000_000_000}")]
    before = [totals(server, *question) for question in questions]
    assert before[4]["edges"][0]["callCount"] == 120
    assert server.stop() == 0

    server.arguments += ["--retention", "1s", "--totals-retention", "1d"]
    server.start()
    deadline = time.monotonic() + 20
    while "skein_store_parts 0" not in (metrics := server.get("/metrics").text):
        assert time.monotonic() < deadline, metrics
        time.sleep(0.05)  # Between two looks; the loop ends by the deadline.
    assert "skein_store_uncounted_spans_total 0" in metrics
    assert "skein_store_totals_files 0" not in metrics
    assert server.trace(trace_ids[0].hex()) is None
    assert reason(server, trace_ids[0].hex()) == "expired"
    assert reason(server, "4bf9" * 8) == "neverSeen"
    asked = skein("trace", trace_ids[0].hex(), "--address", server.url("http"))
    assert asked.returncode != 0 and "very probably it was here" in said(asked), said(asked)
    assert "--retention" in said(asked)
    assert [totals(server, *question) for question in questions] == before
    printed = skein("totals", "edges", "--last", "3650d", "--address", server.url("http"))
    assert printed.returncode == 0 and "120" in printed.stdout, said(printed)
    assert server.stop() == 0
    verified = skein("verify", server.data)
    assert verified.returncode == 0 and ".totals" in verified.stdout, said(verified)
    assert "removed traces" in verified.stdout, said(verified)
    assert "parts that are gone" in skein("inspect", server.data).stdout

    # What is remembered outlives the process, not the deletion of a trace.
    server.start()
    assert reason(server, trace_ids[0].hex()) == "expired"
    lone = bytes.fromhex("1e57" * 8)
    assert server.post_otlp(secret_request(1, "secret", lone)).status == 200
    assert skein("delete", lone.hex(), "--address", server.url("http")).returncode == 0
    assert reason(server, lone.hex()) == "neverSeen"
    assert server.stop() == 0

    server.arguments += ["--totals-retention", "1s"]
    server.start()
    deadline = time.monotonic() + 20
    while "skein_store_totals_files 0" not in (metrics := server.get("/metrics").text):
        assert time.monotonic() < deadline, metrics
        time.sleep(0.05)  # Between two looks; the loop ends by the deadline.
    assert totals(server, "operations", "")["operations"] == []
    assert server.stop() == 0


@pytest.mark.parametrize("wrong, hint", [
    ("operations?quantiles=1.5", "from 0 to 1"), ("operations?step=90s", "whole minutes"),
    ("operations?step=1m&start=0&end=90000000000000000", "larger step"),
    ("edges?start=5&end=5", "empty"), ("edges?by=kind", "not known"),
    ("operations?by=colour", "service, operation, kind"),
])
def test_wrong_questions_for_totals_are_answered_with_400(server, wrong, hint):
    answer = server.get(f"/api/skein/v1/totals/{wrong}")
    assert answer.status == 400 and hint in answer.text, answer.text


@pytest.mark.parametrize("wrong", ["10", "many", "0GB", "-1GB", "10 GB"])
def test_a_wrong_size_is_refused_with_a_hint(tmp_path, wrong):
    result = skein("serve", "--data", tmp_path / "data", f"--retention-bytes={wrong}")
    assert result.returncode != 0
    assert "GB" in said(result)


# Folders that cannot be served

def crc32c(data):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


@pytest.mark.parametrize("version, advice", [(1, "new directory"), (99, "newer version")])
def test_an_unknown_format_version_is_named_and_nothing_changes(new_server, version, advice):
    with new_server() as server:
        assert server.post_otlp(otlp.rich_request(1)[0]).status == 200
    manifest = server.data / "MANIFEST"
    data = bytearray(manifest.read_bytes())
    data[8:12] = struct.pack("<I", version)
    data[4:8] = struct.pack("<I", crc32c(data[8:]))
    manifest.write_bytes(data)
    before = sorted((path, path.read_bytes()) for path in server.data.rglob("*") if path.is_file())
    for command in (["serve", "--data", server.data], ["verify", server.data],
                    ["backup", "--data", server.data, server.folder / "backup"]):
        result = skein(*command)
        assert result.returncode == 1
        line = said(result).strip()
        assert "\n" not in line and str(manifest) in line
        assert f"version {version}" in line and advice in line
    after = sorted((path, path.read_bytes()) for path in server.data.rglob("*") if path.is_file())
    assert after == before


def test_a_read_only_folder_is_refused_but_can_be_verified(new_server, tmp_path):
    with new_server() as server:
        assert server.post_otlp(otlp.rich_request(1)[0]).status == 200
    place = tmp_path / "read-only"
    place.mkdir()
    mount = ["mount", "--bind", "-o", "ro", str(server.data), str(place)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("this user may not mount a folder read-only")
    try:
        result = skein("serve", "--data", place)
        assert result.returncode == 1
        assert "\n" not in said(result).strip()
        assert str(place) in said(result) and "writable" in said(result)
        assert skein("verify", place).returncode == 0
        assert skein("backup", "--data", place, tmp_path / "backup").returncode == 0
        assert skein("verify", tmp_path / "backup").returncode == 0
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_answering_and_recovers_by_itself(new_server, tmp_path):
    place = tmp_path / "server"
    place.mkdir()
    size = "size=96m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    try:
        ledger = ledgers.Ledger(SEED)
        server = new_server().start()

        def send():
            request = ledger.new_request()
            answer = server.post_otlp(request.otlp())
            if answer.status == 200:
                ledger.acknowledge(request)
            else:
                assert answer.status == 503, answer.text
                assert int(answer.headers["retry-after"]) <= 30
            return answer.status

        assert send() == 200
        ballast = place / "ballast"
        with open(ballast, "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        large = otlp.request([
            otlp.span(struct.pack(">QQ", 2, 2), struct.pack(">Q", index + 1), "large",
                      start=otlp.BASE_TIME, duration=1, values={"noise": os.urandom(900).hex()})
            for index in range(2000)], service="large")
        refused = 0
        for _ in range(60):
            answer = server.post_otlp(large)
            if answer.status != 200:
                assert answer.status == 503, answer.text
                refused += 1
        assert refused, "the disk is not full"
        ledger.check_all(server)
        ballast.unlink()
        deadline = time.monotonic() + 5
        while send() != 200:
            assert time.monotonic() < deadline, server.get("/health").text
            time.sleep(0.1)  # As a client that is told to try again.
        ledger.check_all(server)
        assert server.is_alive
        assert server.stop() == 0
    finally:
        if server.process and server.is_alive:
            server.kill()
        subprocess.run(["umount", "-l", str(place)], check=True)
