#!/usr/bin/env bash
# All drills, one after the other.
#   all.sh [OPTION...]   as of 'terrace drill run'; TERRACE names another terrace than this repository's
# Exits with 0 when all objectives were met, 1 when not, 2 when the options are wrong.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "${TERRACE:-$root/terrace}" drill run all "$@"
