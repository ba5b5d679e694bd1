#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints, separated by NUL, the Swift files that are written by hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
git ls-files -z --cached --others --exclude-standard -- '*.swift' ':!*.pb.swift' |
    while IFS= read -r -d '' file; do
        if [ -f "$file" ]; then printf '%s\0' "$file"; fi
    done
