#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes of the modules and styles of Server/web one script and one style sheet, bundled and minified
# in Server/web-bundle, from where the binary embeds them. Writes only what changed, so that a build
# after it compiles nothing anew for nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../Server"

if ! command -v esbuild >/dev/null; then
    echo "esbuild is needed to bundle the page: apt-get install esbuild" >&2
    exit 69
fi
made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
esbuild web/app.js web/app.css --bundle --minify --charset=utf8 --format=esm --target=es2022 \
    --log-level=warning --outdir="$made"
# A classic script: it runs before the first paint.
esbuild web/early.js --minify --charset=utf8 --target=es2022 --log-level=warning --outdir="$made"
mkdir -p web-bundle
for file in "$made"/*; do
    cmp -s "$file" "web-bundle/${file##*/}" || cp "$file" web-bundle/
done
