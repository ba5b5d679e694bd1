# SPDX-License-Identifier: Apache-2.0
"""Tests of the table of what spans cost: it fails on what costs more, and on nothing else."""

import json
import pathlib
import sys

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

import sdk_costs  # noqa: E402

TABLE = {
    "cheap": {"instructions": 500.0, "allocations": 0.0},
    "dear": {"instructions": 10_000.0, "allocations": 3.0},
    sdk_costs.EXPORTED: {"instructions": 7_000.0},
}


def changed(name, **costs):
    return {**TABLE, name: {**TABLE[name], **costs}}


def test_what_costs_the_same_or_less_is_no_complaint():
    assert list(sdk_costs.complaints(TABLE, TABLE)) == []
    assert list(sdk_costs.complaints(TABLE, changed("dear", instructions=1, allocations=0))) == []
    assert list(sdk_costs.complaints(TABLE, changed("cheap", allocations=0.012))) == []


@pytest.mark.parametrize("name, costs, text", [
    ("cheap", {"instructions": 531.0}, "cheap: 531 instructions, at most 530"),
    ("dear", {"instructions": 10_506.0}, "dear: 10506 instructions"),
    ("cheap", {"allocations": 1.0}, "cheap: 1 allocations, at most 0"),
    (sdk_costs.EXPORTED, {"instructions": 8_100.0}, "8100 instructions"),
])
def test_what_costs_more_is_one_complaint(name, costs, text):
    [complaint] = sdk_costs.complaints(TABLE, changed(name, **costs))
    assert text in complaint


def test_a_case_that_is_missing_on_either_side_is_a_complaint():
    less = {name: costs for name, costs in TABLE.items() if name != "dear"}
    assert list(sdk_costs.complaints(TABLE, less)) == ["dear: is only in the table"]
    assert list(sdk_costs.complaints(less, TABLE)) == ["dear: is only in the program"]


def test_the_table_gates_every_hot_path():
    for costs in json.loads((BENCH / "sdk-costs.json").read_text()).values():
        for name in ("own unsampled child", "own unsampled child, 10 attributes",
                     "own sampled child", "own sampled child, 10 attributes"):
            assert costs[name]["allocations"] == 0
        assert costs["tracing unsampled child"]["allocations"] == 0
        assert {"own inject", "own extract", "tracing inject", "tracing extract",
                "tracing sampled child, 3 attributes", sdk_costs.EXPORTED} <= costs.keys()
