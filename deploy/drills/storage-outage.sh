#!/usr/bin/env bash
# Drill: object storage is away for a while; writes go on, the backup is late and says so, and catches up.
#   storage-outage.sh [OPTION...]   as of 'terrace drill run'; TERRACE names another terrace than this repository's
# Exits with 0 when the objectives were met, 1 when not, 2 when the options are wrong.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "${TERRACE:-$root/terrace}" drill run storage-outage "$@"
