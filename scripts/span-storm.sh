#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lets many tasks start and end spans under the thread sanitizer, after it has shown that it sees a race
# that is there. Nothing is suppressed: the program tells the sanitizer of the standard library's Mutex,
# which it cannot see by itself (CMutexWatch).  usage: span-storm.sh TASKS SPANS (of each task)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=(--package-path bench/sdk-bench --scratch-path bench/sdk-bench/.build-thread)
"${SWIFT:-swift}" build -c release --sanitize=thread "${package[@]}" --product SpanStorm
program=bench/sdk-bench/.build-thread/release/SpanStorm
# What it no longer remembers the other side of it does not report: let it remember long.
export TSAN_OPTIONS="history_size=7${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

if "$program" race >/dev/null 2>&1; then
    echo "the thread sanitizer did not see a race that is there: nothing it says can be believed" >&2
    exit 1
fi
"$program" "$1" "$2"
