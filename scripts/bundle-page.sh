#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes of the modules and styles of Server/web one script and one style sheet, minified, and puts
# them and the other files of the page, compressed, into Server/web-bundle, from where the binary
# embeds them. Writes only what changed, so that the build after it compiles nothing for nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../Server"

for tool in esbuild terser zopfli; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is needed to bundle the page: apt-get install $tool" >&2
        exit 69
    fi
done
made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
options=(--charset=utf8 --target=es2022 --log-level=warning)
esbuild web/app.js --bundle --format=esm "${options[@]}" --outfile="$made/app.js"
esbuild web/app.css --bundle --minify "${options[@]}" --outfile="$made/app.css"
# A classic script: it runs before the first paint.
esbuild web/early.js --minify "${options[@]}" --outfile="$made/early.js"
cp web/*.json web/*.svg "$made"

mkdir -p web-bundle
# minify_script: esbuild joins modules, and terser renames and folds them to 3 % fewer bytes. Debian's
# terser finds its modules beside itself also where another node is first on the PATH.
minify_script() {
    NODE_PATH="${NODE_PATH:-/usr/share/nodejs}" terser --module --compress passes=2 --mangle
}
# Minifying and compressing take seconds: only of what is not as it was, which a copy tells.
for file in "$made"/*; do
    name="${file##*/}"
    if [ -e "web-bundle/$name.gz" ] && cmp -s "$file" "web-bundle/$name.made"; then continue; fi
    if [ "$name" = app.js ]; then minify_script <"$file"; else cat "$file"; fi >"$made.minified"
    zopfli -c "$made.minified" >"web-bundle/$name.gz"
    cp "$file" "web-bundle/$name.made"
done
rm -f "$made.minified"
