# SPDX-License-Identifier: Apache-2.0
"""Makes calls of a server on its data directory fail, one fault at a time, while it runs."""

import errno
import mmap
import pathlib
import struct
import subprocess
import time

SOURCE = pathlib.Path(__file__).with_name("fault_shim.c")
OPERATIONS = ("open", "write", "read", "sync", "rename", "remove", "allocate")
EFFECTS = ("fail", "shorten", "kill")
# struct control of fault_shim.c: operation, effect, error, sticky, at, seen, fired, calls.
LAYOUT = struct.Struct("<IIiI QQQ 7Q")
AT = {"operation": 0, "seen": 24, "fired": 32, "calls": 40}


def build(folder):
    """Compiles the library that is preloaded."""
    library = pathlib.Path(folder) / "fault_shim.so"
    subprocess.run(
        ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


class Faults:
    """The control file of one server."""

    def __init__(self, library, server):
        self.path = server.folder / "faults"
        self.path.write_bytes(bytes(LAYOUT.size))
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), LAYOUT.size)
        self.disarm()
        server.environment = {
            "LD_PRELOAD": str(library), "SKEIN_FAULT_CONTROL": str(self.path),
            "SKEIN_FAULT_PATH": str(server.data)}

    def arm(self, operation, at=1, effect="fail", error=errno.EIO, sticky=False):
        """Lets the `at`-th call of `operation` from now on have `effect`; sticky: all after it too."""
        self.disarm()
        head = struct.pack("<IiIQQQ", EFFECTS.index(effect), error, sticky, at, 0, 0)
        self.memory[4:40] = head
        # Last: from now on calls count.
        self.memory[0:4] = struct.pack("<I", OPERATIONS.index(operation))

    def disarm(self):
        self.memory[0:4] = struct.pack("<I", len(OPERATIONS))

    @property
    def fired(self):
        """How often the armed fault happened."""
        return struct.unpack_from("<Q", self.memory, AT["fired"])[0]

    @property
    def calls(self):
        """Calls of each operation since the server began."""
        return dict(zip(OPERATIONS, struct.unpack_from("<7Q", self.memory, AT["calls"])))

    def forget_calls(self):
        self.memory[AT["calls"]:LAYOUT.size] = bytes(7 * 8)

    def wait_until_fired(self, seconds=20):
        deadline = time.monotonic() + seconds
        while not self.fired:
            assert time.monotonic() < deadline, "the armed fault never happened"
            time.sleep(0.005)  # Between two looks; the loop ends by the deadline.


def name_of(error):
    return errno.errorcode[error]
