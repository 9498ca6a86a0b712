#!/usr/bin/env bash
# Drill: Redis is killed and comes back; reads and durable writes go on without it.
#   l2-outage.sh [OPTION...]   as of 'terrace drill run'; TERRACE names another terrace than this repository's
# Exits with 0 when the objectives were met, 1 when not, 2 when the options are wrong.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "${TERRACE:-$root/terrace}" drill run l2-outage "$@"
