#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes of the modules and styles of Server/web one script and one style sheet, minified, and puts
# them and the other files of the page, compressed, into Server/web-bundle, from where the binary
# embeds them. Writes only what changed, so that the build after it compiles nothing for nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../Server"

for tool in esbuild zopfli; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is needed to bundle the page: apt-get install $tool" >&2
        exit 69
    fi
done
made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
options=(--minify --charset=utf8 --target=es2022 --log-level=warning --outdir="$made")
esbuild web/app.js web/app.css --bundle --format=esm "${options[@]}"
# A classic script: it runs before the first paint.
esbuild web/early.js "${options[@]}"
cp web/*.json web/*.svg "$made"
mkdir -p web-bundle
for file in "$made"/*; do
    name="${file##*/}"
    # Compressing takes a second: only of what is not the same.
    zcat "web-bundle/$name.gz" 2>/dev/null | cmp -s - "$file" ||
        zopfli -c "$file" >"web-bundle/$name.gz"
done
