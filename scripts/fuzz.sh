#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes one target, or all of them one after another, with the address sanitizer, starting from the
# seeds in Fuzz/Corpus; inputs that found something new stay in Fuzz/.corpus.
# usage: [SECONDS_MAX=60] fuzz.sh TARGET|all
# Leaks are not looked for: what lazy globals hold to the end counts as one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

all=$(sed -n 's/^ *"\([a-z-]*\)": {.*/\1/p' Fuzz/Sources/Fuzz/Unsafe*.swift)
targets="${1:-}"
if [ -z "$targets" ]; then
    xargs echo 'usage: make fuzz T=TARGET, where TARGET is all or one of' >&2 <<<"$all"
    exit 64
fi
if [ "$targets" = all ]; then targets=$(grep -v canary <<<"$all"); fi

# SKEIN_PURE: only so does the server's package offer the storage engine. SKEIN_FUZZING: all checksums
# match. One flag for both sanitizers: given as two, the compiler keeps the last and the fuzzer runs blind.
SKEIN_PURE=1 "${SWIFT:-swift}" build -c release --disable-build-manifest-caching --package-path Fuzz --sanitize=fuzzer \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -DSKEIN_FUZZING
mkdir -p artifacts
for target in $targets; do
    mkdir -p "Fuzz/.corpus/$target"
    seeds=()
    if [ -d "Fuzz/Corpus/$target" ]; then seeds=("Fuzz/Corpus/$target"); fi
    # Inputs of a store are a few changes of its files.
    case "$target" in
    store-*) sizes=(-max_len=256 -len_control=0) ;;
    *) sizes=(-max_len=65536) ;;
    esac
    echo "== $target"
    # With backtraces on, the handler of a crash has been seen to hang.
    SKEIN_FUZZ_TARGET="$target" SWIFT_BACKTRACE=enable=no \
        ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}" \
        Fuzz/.build/release/Fuzz -max_total_time="${SECONDS_MAX:-60}" "${sizes[@]}" \
        -rss_limit_mb=2048 -malloc_limit_mb=1100 -timeout=300 -print_final_stats=1 \
        -artifact_prefix="artifacts/fuzz-$target-" "Fuzz/.corpus/$target" "${seeds[@]}"
done
