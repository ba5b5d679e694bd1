# SPDX-License-Identifier: Apache-2.0
"""The programs of Examples/Exporters, built by `make test-examples`."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = pathlib.Path(os.environ.get(
    "SKEIN_EXAMPLES", ROOT / "Examples" / ".build" / "debug"))


def program(name):
    path = EXAMPLES / name
    assert os.access(path, os.X_OK), f"{path} is not there: run `make build-examples`"
    return path

