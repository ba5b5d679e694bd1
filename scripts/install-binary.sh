#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the release binary at bin/skein. A running one keeps its old file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmp -s Server/.build/release/skein bin/skein && exit 0
install -D -m 755 Server/.build/release/skein bin/skein
echo "bin/skein is ready"
