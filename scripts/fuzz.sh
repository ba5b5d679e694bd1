#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes one target with the address sanitizer, starting from the seeds in Fuzz/Corpus; inputs that
# found something new stay in Fuzz/.corpus.  usage: [SECONDS_MAX=60] fuzz.sh TARGET
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target="${1:-}"
if [ -z "$target" ]; then
    sed -n 's/^    "\([a-z-]*\)": {.*/\1/p' Fuzz/Sources/Fuzz/UnsafeFuzz.swift |
        xargs echo 'usage: make fuzz T=TARGET, where TARGET is one of' >&2
    exit 64
fi
# One flag for both: given as two, the compiler keeps the last and the fuzzer runs blind.
"${SWIFT:-swift}" build -c release --package-path Fuzz --sanitize=fuzzer \
    -Xswiftc -sanitize=fuzzer,address
mkdir -p "Fuzz/.corpus/$target" artifacts
seeds=()
if [ -d "Fuzz/Corpus/$target" ]; then seeds=("Fuzz/Corpus/$target"); fi
# With backtraces on, the handler of a crash has been seen to hang.
SKEIN_FUZZ_TARGET="$target" SWIFT_BACKTRACE=enable=no \
    Fuzz/.build/release/Fuzz -max_total_time="${SECONDS_MAX:-60}" -max_len=65536 -rss_limit_mb=2048 \
    -artifact_prefix="artifacts/fuzz-$target-" -print_final_stats=1 "Fuzz/.corpus/$target" "${seeds[@]}"
