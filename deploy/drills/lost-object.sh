#!/usr/bin/env bash
# Drill: an object of the repository vanishes; verify names it, restore refuses, the node sends it again.
#   lost-object.sh [OPTION...]   as of 'terrace drill run'; TERRACE names another terrace than this repository's
# Exits with 0 when the objectives were met, 1 when not, 2 when the options are wrong.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "${TERRACE:-$root/terrace}" drill run lost-object "$@"
