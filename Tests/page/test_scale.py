# SPDX-License-Identifier: Apache-2.0
"""The sums behind charts, asked of the modules themselves: axes, numbers, heat maps, time ranges."""

import json

import pytest


def test_an_axis_has_round_steps_and_reaches_its_largest_value(run):
    assert run("scale.js", "m => m.niceTicks(0.3, 3)") == [0, 0.1, 0.2, 0.3]
    assert run("scale.js", "m => m.niceTicks(7, 3)") == [0, 5, 10]
    assert run("scale.js", "m => m.niceTicks(0)") == [0, 1]
    for largest in (1e-9, 0.07, 3, 99, 12345, 7e15):
        ticks = run("scale.js", f"m => m.niceTicks({largest})")
        assert ticks[-1] >= largest and 2 <= len(ticks) <= 11


def test_times_of_an_axis_are_round_where_the_browser_is(run):
    # Half past of universal time is a whole hour in this time zone.
    ticks = run("scale.js", "m => m.timeTicks(1790000000000, 1790000000000 + 6 * 3600e3, 6)")
    assert len(ticks) >= 5
    assert all(tick["at"] % 3_600_000 == 1_800_000 for tick in ticks)
    assert [tick["text"] for tick in ticks] == ["20:00", "21:00", "22:00", "23:00", "22 Sept", "01:00"]


def test_rates_and_shares_are_written_as_people_do(run):
    rates = {0: "0/s", 0.05: "3.00/min", 0.42: "0.42/s", 12.34: "12.3/s", 15_600: "15.6k/s"}
    for rate, text in rates.items():
        assert run("scale.js", f"m => m.rateText({rate})") == text
    shares = {0: "0%", 0.00001: "<0.01%", 0.0125: "1.25%", 0.5: "50.0%", 1: "100%"}
    for share, text in shares.items():
        assert run("scale.js", f"m => m.percentText({share})") == text


def test_a_heat_map_from_totals_counts_every_call_once_and_where_it_belongs(run):
    heat = run("scale.js", """m => {
        const equal = (nanos) => m.heatQuantiles.map(() => String(nanos));
        const spread = m.heatQuantiles.map((q) => String(Math.round(1e6 * 10 ** (3 * q))));
        const line = [
            { callCount: 5, quantileNanos: equal(4e6) },
            { callCount: 0, quantileNanos: [] },
            { callCount: 900, quantileNanos: spread },
        ];
        const { columns, edges, counts } = m.heatOfTotals([line], 0, 60000);
        return { columns, edges, counts: [...counts] };
    }""")
    rows = len(heat["edges"]) - 1
    columns = [heat["counts"][i * rows:(i + 1) * rows] for i in range(heat["columns"])]
    assert [sum(column) for column in columns] == pytest.approx([5, 0, 900], abs=0.01)
    place = next(i for i, n in enumerate(columns[0]) if n > 0)
    assert columns[0][place] == pytest.approx(5)
    assert heat["edges"][place] <= 4e6 < heat["edges"][place + 1]
    # Durations that are even over three powers of ten fill the rows of these evenly.
    filled = [n for n in columns[2] if n > 1]
    assert len(filled) == 18 and max(filled) == pytest.approx(min(filled), rel=0.05)


def series(bucket, values):
    return {"labels": [{"name": "__bucket", "type": "double", "value": str(bucket)}],
            "values": values, "exemplars": []}


def test_a_heat_map_from_metrics_keeps_empty_buckets_in_their_place(run):
    answer = {"startTimeUnixNano": "1790000040000000000", "stepNanos": "60000000000",
              "series": [series(0.001048576, [1, None]), series(0.008388608, [0, 7])]}
    heat = run("scale.js", f"""m => {{
        const heat = m.heatOfMetrics({json.dumps(answer)});
        return {{ ...heat, counts: [...heat.counts] }};
    }}""")
    assert heat["edges"] == [524288, 1048576, 2097152, 4194304, 8388608]
    assert heat["counts"] == [1, 0, 0, 0, 0, 0, 0, 7]
    assert heat["from"] == 1_790_000_040_000 and heat["step"] == 60_000


def test_what_is_quoted_for_a_query_stays_one_text(run):
    q = run("traceql.js", r"""m => m.spans({ service: 'a"b\\', operation: 'x\ny', error: true })""")
    assert q == r'{ resource.service.name = "a\"b\\" && name = "x\x0ay" && status = error }'


def test_ranges_are_read_written_and_moved(run):
    now = 1_790_000_000_000
    read = f"m => m.readRange(new URLSearchParams('%s'), {now})"
    assert run("range.js", read % "")["range"] == {"last": "1h", "from": now - 3_600_000, "to": now}
    assert run("range.js", read % "last=90m")["range"]["from"] == now - 5_400_000
    fixed = run("range.js", read % "from=2026-09-21T10:00:00Z%26to=1790000000000".replace("%26", "&"))
    assert fixed["range"]["last"] is None and fixed["range"]["to"] == now
    assert run("range.js", read % "from=9&to=3")["dropped"] == ["from=9", "to=3"]
    assert run("range.js", read % "last=99999999w")["dropped"] == ["last=99999999w"]
    nanos = run("range.js", read % "start=1789990000000000000&end=1789999000000000000")["range"]
    assert nanos == {"last": None, "from": 1_789_990_000_000, "to": 1_789_999_000_000}
    back = f"m => m.shift(m.shift(m.lastRange('15m', {now}), -1, {now}), 1, {now}).last"
    assert run("range.js", back) == "15m"


def test_two_of_two_calls_that_fail_are_not_worse_than_a_fifth_of_thousands(run):
    assert run("red.js", """(m) => {
        const reading = (calls, errors) => ({ calls, errors, share: errors / calls, quantiles: [] });
        const bad = (calls, errors) => m.badness(reading(calls, errors), reading(0, 0));
        return bad(2, 2) < bad(5000, 1000) && bad(5000, 1000) > bad(5000, 900)
            && bad(5000, 0) === 0 && bad(100, 100) > 80;
    }""")
