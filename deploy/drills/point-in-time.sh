#!/usr/bin/env bash
# Drill: a bad release overwrites a third of all entries; the state of the moment before comes back.
#   point-in-time.sh [OPTION...]   as of 'terrace drill run'; TERRACE names another terrace than this repository's
# Exits with 0 when the objectives were met, 1 when not, 2 when the options are wrong.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "${TERRACE:-$root/terrace}" drill run point-in-time "$@"
