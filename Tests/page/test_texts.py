# SPDX-License-Identifier: Apache-2.0
"""The words of the page: whole in every language."""

import json
import pathlib
import re

import pytest

WEB = pathlib.Path(__file__).resolve().parents[2] / "Server" / "web"


def unique(pairs):
    """An object of JSON whose keys stand once."""
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), {key for key in keys if keys.count(key) > 1}
    return dict(pairs)


@pytest.fixture(scope="module")
def texts():
    """The words by language and key."""
    return {language: json.loads((WEB / f"texts-{language}.json").read_text(), object_pairs_hook=unique)
            for language in ["en", "zh"]}


def holes(text):
    parts = text if isinstance(text, list) else [text]
    return {hole for part in parts for hole in re.findall(r"\{(\w+)\}", part)}


def test_every_text_stands_in_both_languages_with_the_same_holes(texts):
    assert len(texts["en"]) > 200
    assert list(texts["en"]) == list(texts["zh"]), "in the same order"
    for key, text in texts["en"].items():
        assert holes(text) == holes(texts["zh"][key]), key
        assert all(texts["zh"][key]) and all(text), key


def test_every_key_the_page_asks_for_is_there_and_none_is_left_over(texts):
    known = set(texts["en"])
    code = "\n".join(file.read_text() for file in WEB.glob("*.js"))
    asked = set(re.findall(r"\bt\(\s*'([^']+)'", code))
    assert asked - known == set()
    # A key put together from parts is known by its beginning.
    begun = tuple(set(re.findall(r"`([a-z][\w.]*\.)\$\{", code)))
    quoted = set(re.findall(r"'([a-z]\w*(?:\.\w+)+)'", code))
    assert {key for key in known - quoted if not key.startswith(begun)} == set()
