#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of the stations that touch no socket under the address sanitizer, or those that are
# named, each in its own scratch folder.  usage: sanitize.sh [address|thread]...
# Leaks are not looked for: what the test runner and lazy globals hold to the end counts as one.
# The thread sanitizer does not know the standard library's Mutex and reports what it guards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift="${SWIFT:-swift}"
export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
sanitizers=("$@")
if [ "${#sanitizers[@]}" -eq 0 ]; then sanitizers=(address); fi
for sanitizer in "${sanitizers[@]}"; do
    echo "== $sanitizer sanitizer"
    scratch=".build-$sanitizer"
    "$swift" test --disable-default-traits --sanitize="$sanitizer" --scratch-path "$scratch"
    SKEIN_PURE=1 "$swift" test --package-path Server --sanitize="$sanitizer" \
        --scratch-path "Server/$scratch"
done
