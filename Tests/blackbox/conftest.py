# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the black-box tests: a server for a whole file, or one that a test owns."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from skein_server import BINARY, SkeinServer  # noqa: E402


def pytest_collection_modifyitems(config, items):
    """Leaves the slow tests out unless they are asked for by `-m`."""
    if config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="slow: run `make test-slow`")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert os.access(BINARY, os.X_OK), f"{BINARY} is not there: run `make build`"
    return BINARY


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all tests of a file."""
    with SkeinServer(tmp_path_factory.mktemp("server")) as running:
        yield running
        assert running.is_alive, f"the server died:\n{running.log_tail()}"
    assert running.process.returncode == 0, running.log_tail()


@pytest.fixture
def new_server(tmp_path):
    """Makes servers over one folder that are killed at the end of the test."""
    made = []

    def make(*arguments, folder="server", **options):
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        made.append(SkeinServer(path, *arguments, **options))
        return made[-1]

    yield make
    for server in made:
        if server.process and server.is_alive:
            server.kill()
