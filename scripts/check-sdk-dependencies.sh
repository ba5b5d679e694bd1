#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Resolves an application that depends on the SDK with its traits off, and each package in Examples,
# and fails when that fetches anything but what is expected: what an application pays is a promise.
# Examples/NAME/dependencies.txt lists what an example resolves, which is what its traits bring.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root="$PWD"
application="$(mktemp -d)"
trap 'rm -rf "$application"' EXIT
mkdir -p "$application/Sources/Sample"
cat >"$application/Package.swift" <<MANIFEST
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sample",
    dependencies: [.package(name: "skein", path: "$root", traits: [])],
    targets: [
        .target(name: "Sample", dependencies: [.product(name: "Skein", package: "skein")])
    ]
)
MANIFEST
echo 'import Skein' >"$application/Sources/Sample/Sample.swift"

# resolved PACKAGE: the identities of what it resolves, one a line.
resolved() {
    sed -n 's/.*"identity" : "\(.*\)",/\1/p' "$1/Package.resolved" | sort
}

"${SWIFT:-swift}" package --package-path "$application" resolve
found="$(resolved "$application" | xargs)"
if [ "$found" != "swift-distributed-tracing" ]; then
    echo "the SDK with its traits off resolves: $found" >&2
    echo "it may resolve swift-distributed-tracing alone; see ARCHITECTURE.md, decision 1" >&2
    exit 1
fi
echo "SDK with its traits off resolves swift-distributed-tracing alone"

for list in Examples/*/dependencies.txt; do
    example="$(dirname "$list")"
    "${SWIFT:-swift}" package --package-path "$example" --scratch-path Examples/.build resolve
    if ! difference="$(diff <(sort "$list") <(resolved "$example"))"; then
        echo "$example resolves something else than $list says (> is new):" >&2
        echo "$difference" >&2
        exit 1
    fi
    echo "$example resolves what its traits bring: $(wc -l <"$list") packages"
done
