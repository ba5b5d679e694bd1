# SPDX-License-Identifier: Apache-2.0
"""Short links of the real server: what is acknowledged leads on, after any end of the process."""

import concurrent.futures
import json
import re
import subprocess

import pytest

from skein_server import BINARY, SkeinServer

LINKS = "/api/skein/v1/links"


def shorten(server, address, **headers):
    body = json.dumps({"address": address})
    return server.request("http", "POST", LINKS, body, headers)


def link_of(server, address):
    answer = shorten(server, address)
    assert answer.status == 200, answer.text
    assert re.fullmatch(r"/l/[0-9a-z]{12}", answer.json["link"])
    return answer.json["link"]


def leads_to(server, link):
    answer = server.request("http", "GET", link)
    assert answer.status == 303, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.headers["location"]


def test_a_link_leads_to_its_address_and_is_the_same_each_time(tmp_path):
    with SkeinServer(tmp_path) as server:
        long = "/trace/1?shut=" + ",".join(str(row) for row in range(3_000))
        for address in ("/", "/search?q=%7Bstatus%3Derror%7D&last=1h", long):
            link = link_of(server, address)
            assert leads_to(server, link) == address
            assert link_of(server, address) == link
        # What it leads to is a page, however long its address is.
        assert server.request("http", "GET", long).status == 200
        head = server.request("http", "HEAD", link)
        assert head.status == 303 and head.headers["location"] == long


def test_links_outlive_a_stop_and_a_kill(tmp_path):
    server = SkeinServer(tmp_path)
    told = {}
    try:
        for end in (server.stop, server.kill, server.kill, server.stop):
            server.start()
            for address, link in told.items():
                assert leads_to(server, link) == address
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                wanted = [f"/search?q={len(told) + n}" for n in range(40)]
                told.update(zip(wanted, pool.map(lambda a: link_of(server, a), wanted)))
            end()
        assert len(set(told.values())) == len(told) == 160
    finally:
        if server.is_alive:
            server.kill()


def test_a_torn_end_of_the_file_takes_only_what_it_tore(tmp_path):
    server = SkeinServer(tmp_path)
    with server:
        links = {a: link_of(server, a) for a in ("/search?q=1", "/search?q=2")}
    file = server.data / "LINKS"
    file.write_bytes(file.read_bytes()[:-60])
    with server:
        assert leads_to(server, links["/search?q=1"]) == "/search?q=1"
        assert server.request("http", "GET", links["/search?q=2"]).status == 404
        assert link_of(server, "/search?q=2") == links["/search?q=2"]
    with server:
        assert leads_to(server, links["/search?q=2"]) == "/search?q=2"


def test_a_file_that_is_not_theirs_keeps_links_from_being_made_and_nothing_else(tmp_path):
    server = SkeinServer(tmp_path)
    with server:
        link = link_of(server, "/search")
    file = server.data / "LINKS"
    file.write_bytes(b"not ours")
    with server:
        for answer in (shorten(server, "/search"), server.request("http", "GET", link)):
            assert answer.status == 503
            assert "LINKS" in answer.text and "ove it away" in answer.text
        assert server.request("http", "GET", "/health").status == 200
    assert file.read_bytes() == b"not ours"


def test_an_unknown_link_is_a_page_that_says_so(tmp_path):
    with SkeinServer(tmp_path) as server:
        for path in ("/l/0123456789ab", "/l/x", "/l/..%2f..%2fetc", "/l/" + "a" * 5_000):
            answer = server.request("http", "GET", path)
            assert answer.status == 404
            assert answer.headers["content-type"].startswith("text/html")
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        tagged = server.request("http", "GET", "/l/x", headers={"if-none-match": "*"})
        assert tagged.status == 404 and b"<html" in tagged.body
        assert not (server.data / "LINKS").exists()


@pytest.mark.parametrize(("body", "status", "reason"), [
    ('{"address": "//evil.example/"}', 400, "another host"),
    ('{"address": "https://evil.example/"}', 400, "begin with /"),
    ('{"address": "/search\\u0000"}', 400, "percent-encode"),
    ('{"address": "/metrics"}', 400, "the page has nothing"),
    ('{"address": ["/search"]}', 400, "one text"),
    ("[" * 100_000, 400, "one text"),
    ("", 400, "one text"),
    (json.dumps({"address": "/search?" + "a" * 300_000}), 413, "16384 bytes"),
])
def test_what_is_no_address_of_the_page_is_refused(tmp_path, body, status, reason):
    with SkeinServer(tmp_path) as server:
        answer = server.request("http", "POST", LINKS, body)
        assert answer.status == status
        assert reason in answer.json["error"]["message"]


def test_pages_of_other_sites_make_no_links(tmp_path):
    with SkeinServer(tmp_path) as server:
        own = f"http://{server.address('http')}"
        assert shorten(server, "/search", origin=own).status == 200
        for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"},
                        {"origin": "http://skein.example", "host": "skein.example"}):
            assert shorten(server, "/search", **headers).status == 403
        assert server.request("http", "GET", LINKS).status == 405


def test_a_backup_takes_links_along_and_a_restore_brings_them_back(tmp_path):
    server = SkeinServer(tmp_path)
    with server:
        link = link_of(server, "/search?q=kept")
        skein("backup", "--data", server.data, tmp_path / "backup")
    skein("verify", server.data)
    skein("verify", tmp_path / "backup")
    other = SkeinServer(tmp_path / "other")
    other.folder.mkdir()
    skein("restore", tmp_path / "backup", "--data", other.data)
    with other:
        assert leads_to(other, link) == "/search?q=kept"


def skein(*arguments):
    run = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
