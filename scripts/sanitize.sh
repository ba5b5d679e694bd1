#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of the SDK's libraries and of the server's stations that touch no socket (platform,
# engine, ingest, queries) under the address sanitizer, or under those that are named, each in its own
# scratch folder; no station with sockets is built.  usage: [FILTER=EngineTests] sanitize.sh [address|thread]...
# With FILTER only those tests of the server run.
# Not covered: receivers, API and the command, whose tests need sockets; damaged files beyond those of the
# tests, for which there is `make fuzz`.
# Leaks are not looked for: what the test runner and lazy globals hold to the end counts as one.
# The thread sanitizer does not see the standard library's Mutex where threads wait for it, and reports
# what it guards; the simulation, which has no threads, gives it nothing to look at. For the spans of the
# SDK there is span-storm.sh, which tells it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift="${SWIFT:-swift}"
export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
sanitizers=("$@")
if [ "${#sanitizers[@]}" -eq 0 ]; then sanitizers=(address); fi
filter=()
if [ -n "${FILTER:-}" ]; then filter=(--filter "$FILTER"); fi
for sanitizer in "${sanitizers[@]}"; do
    echo "== $sanitizer sanitizer"
    scratch=".build-$sanitizer"
    # With backtraces on, the handler of a crash has been seen to hang.
    if [ "${#filter[@]}" -eq 0 ]; then
        "$swift" test --disable-default-traits --sanitize="$sanitizer" --scratch-path "$scratch"
    fi
    SKEIN_PURE=1 SWIFT_BACKTRACE=enable=no "$swift" test --package-path Server \
        --sanitize="$sanitizer" --scratch-path "Server/$scratch" "${filter[@]}"
done
