# SPDX-License-Identifier: Apache-2.0
"""The words of the page: every catalogue together, whole in every language."""

import pathlib
import re

import pytest

WEB = pathlib.Path(__file__).resolve().parents[2] / "Server" / "web"


@pytest.fixture(scope="module")
def files(browser, base):
    """The catalogue of every texts-*.js, by its file's name."""
    page = browser.new_page()
    page.goto(base + "/search")
    names = sorted(file.name for file in WEB.glob("texts-*.js"))
    yield page.evaluate("""async (names) => {
        const app = document.querySelector('script[type=module]').src;
        const load = async (name) => [name, (await import(new URL(name, app))).default];
        return Object.fromEntries(await Promise.all(names.map(load)));
    }""", names)
    page.close()


def holes(text):
    parts = text if isinstance(text, list) else [text]
    return {hole for part in parts for hole in re.findall(r"\{(\w+)\}", part)}


def test_every_text_stands_in_both_languages_with_the_same_holes(files):
    assert sum(len(texts["en"]) for texts in files.values()) > 200
    for name, texts in files.items():
        assert texts["en"].keys() == texts["zh"].keys(), name
        for key, text in texts["en"].items():
            assert holes(text) == holes(texts["zh"][key]), key
            assert all(texts["zh"][key]) and all(text), key


def test_no_key_stands_in_two_catalogues(files):
    keys = [key for texts in files.values() for key in texts["en"]]
    assert len(keys) == len(set(keys))


def test_every_key_the_page_asks_for_is_there_and_none_is_left_over(files):
    known = {key for texts in files.values() for key in texts["en"]}
    code = "\n".join(
        file.read_text() for file in WEB.glob("*.js") if not file.name.startswith("texts-"))
    asked = set(re.findall(r"\bt\(\s*'([^']+)'", code))
    assert asked - known == set()
    # A key put together from parts is known by its beginning.
    begun = tuple(set(re.findall(r"`([a-z][\w.]*\.)\$\{", code)))
    quoted = set(re.findall(r"'([a-z]\w*(?:\.\w+)+)'", code))
    assert {key for key in known - quoted if not key.startswith(begun)} == set()
