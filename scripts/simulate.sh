#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Crashes the engine on a simulated disk in two processes: simulate.sh PROGRAM CRASHES [SEED]
# Prints the seed to replay when something is wrong, also when a process ends without a word.
set -euo pipefail

program=$1
crashes=$2
seed=${3:-$((RANDOM << 30 | RANDOM << 15 | RANDOM))}
runs=500
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Each process takes every other block of seeds until it has made its half of the crashes.
work() {
    local first=$1 made=0 status=0 count
    while [ "$made" -lt $((crashes / 2)) ]; do
        status=0
        "$program" --seed "$first" --runs "$runs" --crashes $((crashes / 2 - made)) \
            >"$logs/$2" 2>&1 || status=$?
        if [ "$status" -gt 1 ]; then
            echo "a run from seed $first on ended the process with status $status:"
            "$program" --seed "$first" --runs "$runs" --announce 2>&1 | tail -n 20
            return 1
        fi
        if [ "$status" -ne 0 ]; then
            cat "$logs/$2"
            return 1
        fi
        count=$(sed -n 's/.* runs, \([0-9]*\) crashes.*/\1/p' "$logs/$2")
        made=$((made + count))
        first=$((first + 2 * runs))
        tail -n 1 "$logs/$2" >"$logs/$2.last"
    done
    echo "$made crashes, all well; the last block: $(cat "$logs/$2.last")"
}

echo "simulating $crashes crashes in two processes from seed $seed"
work "$seed" a &
one=$!
work $((seed + runs)) b &
two=$!
failed=0
wait "$one" || failed=1
wait "$two" || failed=1
exit "$failed"
