#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the guides and doc comments of the SDK with the toolchain's own docc and fails on a link to code
# that is not there, or a parameter that is not described. Nothing is kept; no package is needed for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift="${SWIFT:-swift}"
if ! command -v docc >/dev/null; then
    echo "docc: skipped, the toolchain has none"
    exit 0
fi
"$swift" build --disable-default-traits
modules="$("$swift" build --disable-default-traits --show-bin-path)/Modules"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
for module in Skein SkeinTesting; do
    # In a folder of its own: docc takes every module that it finds there.
    mkdir "$work/$module"
    swift symbolgraph-extract -module-name "$module" -target "$(uname -m)-unknown-linux-gnu" \
        -I "$modules" -minimum-access-level public -output-dir "$work/$module"
    docc convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$work/$module" \
        --fallback-display-name "$module" --warnings-as-errors \
        --output-path "$work/$module.doccarchive" >"$work/log" || {
        cat "$work/log" >&2
        exit 1
    }
done
echo "docc: every link of the guides leads to code"
