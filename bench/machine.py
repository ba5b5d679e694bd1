# SPDX-License-Identifier: Apache-2.0
"""What a run needs from the machine: CPU and memory of a process, bytes on disk, and the pages."""

import contextlib
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "bench" / "build"
PAGE = ROOT / "docs" / "benchmarks.md"
SEED = 42
TICKS = os.sysconf("SC_CLK_TCK")
# A process is idle when it used less than two ticks of CPU in this many seconds.
IDLE_SECONDS = 2
# Above this load average before a run somebody else is at work, and wall times mean little.
LOAD_HIGH = 0.5
LOAD_BEFORE = os.getloadavg()[0]


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def run(command):
    """Runs a program to its end and returns what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def scratch():
    """A folder on the disk of the repository that is gone afterwards, also when a signal ends the
    run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ticks(stat):
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def cpu_seconds(pid):
    """Of the whole process, threads that have ended included."""
    return _ticks(pathlib.Path(f"/proc/{pid}/stat").read_text()) / TICKS


def cpu_nanoseconds(pid):
    """Of the threads that a process has now, as the scheduler counts: for what takes less than a tick."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It has just ended.
            total += int((task / "schedstat").read_text().split()[0])
    return total


def thread_seconds(pid):
    """Name of a thread -> CPU seconds of all threads that have it; together all of the process."""
    seconds, whole = {}, cpu_seconds(pid)
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name, stat = (task / "comm").read_text().strip(), (task / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has just ended.
        name = re.sub(r"[-#\d]+$", "", name)
        seconds[name] = seconds.get(name, 0) + _ticks(stat) / TICKS
    seconds["(ended)"] = whole - sum(seconds.values())
    return seconds


def memory_megabytes(pid, field="VmRSS"):
    """VmRSS is what is resident now, VmHWM the most since the start or since `forget_peak`."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def wait_until_idle(pid, seconds_max=600):
    """Waits until the work after the last request is done."""
    last, since, deadline = cpu_seconds(pid), time.monotonic(), time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        time.sleep(0.2)
        now = cpu_seconds(pid)
        if now - last > 1.5 / TICKS:
            last, since = now, time.monotonic()
        elif time.monotonic() - since >= IDLE_SECONDS:
            return
    raise SystemExit(f"process {pid} was still at work after {seconds_max} s")


def bytes_on_disk(folder):
    """Bytes that the file system gave to everything in a folder, as `du` counts them."""
    bytes_given = 0
    for path in [pathlib.Path(folder), *pathlib.Path(folder).rglob("*")]:
        with contextlib.suppress(FileNotFoundError):  # A server may remove it meanwhile.
            bytes_given += path.lstat().st_blocks * 512
    return bytes_given


def commit():
    return run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]).strip()


def circumstances(command):
    """One line: what was run, on what, when, and beside what."""
    model = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
         if line.startswith("model name")), platform.processor())
    load = f"load average before the run {LOAD_BEFORE:.1f}"
    if LOAD_BEFORE > LOAD_HIGH:
        load += " (**others were at work: believe no wall time, and CPU times to a third**)"
    return (
        f"`{command}` at {commit()}, {time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores of "
        f"{model}, Linux {platform.release()}, {load}.")


def median(rows, name):
    """The median of a number over rows, or None where one of them has none."""
    values = [row.get(name) for row in rows]
    return None if None in values or not values else statistics.median(values)


def number(value, digits=2):
    """A number for a table: three figures where they tell something."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def write_section(name, text, is_full=True):
    """Prints a text, and after a run of full size puts it between the marks of its section."""
    begin, end = f"<!-- bench:{name}:begin -->", f"<!-- bench:{name}:end -->"
    page = PAGE.read_text()
    print(f"\n{text}\n", flush=True)
    if not is_full or begin not in page or end not in page:
        say(f"a run of this size has no place in docs/benchmarks.md ({name}): it was left alone")
        return
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}\n{text}\n{end}{tail}")
    say(f"docs/benchmarks.md: wrote section {name}")
