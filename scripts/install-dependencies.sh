#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what a task needs from Debian, for tests a Python environment in .venv, and for comparisons
# with other engines one in .venv-peers (200 MB to fetch). Silent when everything is there.
# usage: install-dependencies.sh build|test|bench|peers|pictures
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

task="${1:-build}"
packages=(libzstd-dev zlib1g-dev libsqlite3-dev libre2-dev esbuild terser zopfli)
case "$task" in
build) ;;
test)
    packages+=(g++ liblz4-dev python3-venv valgrind chromium fonts-dejavu-core fonts-wqy-microhei)
    packages+=(libhiredis-dev redis-server)
    ;;
pictures) packages+=(python3-venv chromium fonts-dejavu-core fonts-wqy-microhei pngquant) ;;
bench | peers) packages+=(g++ liblz4-dev python3-venv valgrind) ;;
*)
    echo "usage: $0 build|test|bench|peers|pictures" >&2
    exit 64
    ;;
esac

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            echo "$package"
    done
}

install_packages() {
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "please run as root: apt-get install $*" >&2
            return 1
        fi
        root=(sudo)
    fi
    echo "installing from Debian: $*"
    # One retry: a first run has been seen to fail while another apt or a cleaner of /var was busy.
    local attempt
    for attempt in 1 2; do
        if "${root[@]}" apt-get -qq update &&
            "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get -qq -y --no-install-recommends install "$@"; then
            return 0
        fi
        if [ "$attempt" -eq 1 ]; then
            echo "apt-get failed, trying once more" >&2
            sleep 5
        fi
    done
    return 1
}

# make_python_environment FOLDER LIST [OPTION…]: it is made again only when the list changes.
make_python_environment() {
    local folder="$1" list="$2" wanted
    shift 2
    wanted="$(sha256sum <"$list")"
    if [ -x "$folder/bin/python" ] &&
        [ "$(cat "$folder/requirements.sha256" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    echo "installing from PyPI into $folder: $list"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" -q --disable-pip-version-check install "$@" -r "$list" ||
        "$folder/bin/pip" -q --disable-pip-version-check install "$@" -r "$list"
    printf '%s\n' "$wanted" >"$folder/requirements.sha256"
}

if ! command -v swift >/dev/null; then
    echo "Swift 6.3 is needed and 'swift' is not on the PATH" >&2
    exit 69
fi
if command -v dpkg-query >/dev/null; then
    mapfile -t missing < <(missing_packages)
    if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
else
    echo "not a Debian system: please see to it that these are there: ${packages[*]}" >&2
fi
if [ "$task" != build ]; then make_python_environment .venv tools/requirements.txt; fi
# What chDB would bring along (pandas, pyarrow) is for answers as data frames, which nobody asks for.
if [ "$task" = peers ]; then
    make_python_environment .venv-peers tools/requirements-peers.txt --no-deps
fi
