#!/usr/bin/env bash
# Drill: a node is killed and its disk is lost; a new one restores L3 and serves.
#   node-loss.sh [OPTION...]   as of 'terrace drill run'; TERRACE names another terrace than this repository's
# Exits with 0 when the objectives were met, 1 when not, 2 when the options are wrong.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "${TERRACE:-$root/terrace}" drill run node-loss "$@"
