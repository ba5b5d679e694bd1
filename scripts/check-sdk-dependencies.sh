#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Resolves an application that depends on the SDK with its traits off and fails when that fetches
# anything but swift-distributed-tracing: what an application pays is a promise.
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

"${SWIFT:-swift}" package --package-path "$application" resolve
found="$(sed -n 's/.*"identity" : "\(.*\)",/\1/p' "$application/Package.resolved" | sort | xargs)"
if [ "$found" != "swift-distributed-tracing" ]; then
    echo "the SDK with its traits off resolves: $found" >&2
    echo "it may resolve swift-distributed-tracing alone; see ARCHITECTURE.md, decision 1" >&2
    exit 1
fi
echo "SDK with its traits off resolves swift-distributed-tracing alone"
