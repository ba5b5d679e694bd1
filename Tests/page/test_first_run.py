# SPDX-License-Identifier: Apache-2.0
"""The first-run screen of an empty server: what it offers works as it stands."""

import subprocess

import pytest
from skein_server import SkeinServer
from test_page import until


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with SkeinServer(tmp_path_factory.mktemp("empty")) as server:
        yield server.url("http")


def test_the_command_it_offers_brings_the_first_trace_by_itself(tabs, picture):
    page = tabs.open("/")
    until(page, "() => document.querySelector('.snippet.curl code')?.textContent")
    # It names the port that this server really has, not the usual one.
    until(page, "() => !document.querySelector('.snippet.curl code').textContent.includes('4318')")
    picture(page, "first-run")
    command = page.locator(".snippet.curl code").text_content()
    sent = subprocess.run(
        ["bash", "-c", command + " --silent --show-error --fail"],
        capture_output=True, text=True, timeout=30)
    assert sent.returncode == 0, sent.stderr
    page.locator("a.trace").first.wait_for()
    assert "my first trace" in page.locator("a.trace").first.text_content()
