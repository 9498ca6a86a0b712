#!/usr/bin/env bash
# Breaks what the running example depends on, scene by scene, and tells how Terrace steps down and climbs again.
#   break-things.sh [SCENE...]    default: all of them
# OPTIMIZER says where the example runs (127.0.0.1:8090), HOLD how many seconds each thing stays broken (4).
# PATIENCE how many seconds to wait for a rung (300: whoever falls again and again climbs slowly).
# Exits with 1 when a rung was not reached in time, or a single read failed on any rung but DIRECT. Needs bash 5 and nothing else.
set -euo pipefail

scenes=(api-slow api-flaky api-dead redis-killed redis-frozen redis-slow everything)
at=${OPTIMIZER:-127.0.0.1:8090}
hold=${HOLD:-4}
patience=${PATIENCE:-300}
wrong=0

die() { printf 'break-things: %s\n' "$*" >&2; exit 2; }

request() { # METHOD PATH: prints the body, fails unless the answer is 200
  local status line
  exec 3<>"/dev/tcp/${at%:*}/${at##*:}" || return 1
  printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$1" "$2" "$at" >&3
  read -r _ status _ <&3 || return 1
  while read -r line <&3 && [ -n "${line%$'\r'}" ]; do :; done
  while read -r line <&3 || [ -n "$line" ]; do printf '%s\n' "$line"; done
  exec 3<&- 3>&-
  [ "$status" = 200 ]
}

status() { # NAME: one value of the example's
  local name value
  while IFS='=' read -r name value; do
    [ "$name" != "$1" ] || printf '%s' "$value"
  done <<<"$state"
}

look() { state=$(request GET /status.txt) || die "the example does not answer at $at; start it with examples/api-optimizer/run.sh"; }
bring() { request POST "/break/$1" >/dev/null || die "the example would not do $1"; }
millis() { local now=${EPOCHREALTIME/[.,]/}; printf '%s' "$((now / 1000))"; }

await() { # RUNG
  local began passed
  began=$(millis)
  while :; do
    look
    passed=$(($(millis) - began))
    if [ "$(status rung)" = "$1" ]; then
      printf '  %-10s after %5d ms   %s\n' "$1" "$passed" "$(status cause)"
      return
    fi
    if [ "$passed" -gt "$((patience * 1000))" ]; then
      printf '  NOT %s after %d s, but %s: %s\n' "$1" "$patience" "$(status rung)" "$(status cause)"
      wrong=1
      return
    fi
    sleep 0.1
  done
}

begin() { # TEXT
  look
  printf '\n%s\n' "$1"
  reads=$(status reads) failed=$(status reads_failed) stale=$(status reads_stale)
  calls=$(status api_calls) refused=$(status writes_refused)
}

end() { # may-fail: where nothing is promised while the API is left alone after its failures
  look
  printf '  %d reads: %d failed, %d stale; %d calls of the API; %d writes refused\n' \
    "$(($(status reads) - reads))" "$(($(status reads_failed) - failed))" "$(($(status reads_stale) - stale))" \
    "$(($(status api_calls) - calls))" "$(($(status writes_refused) - refused))"
  if [ "$(status reads_failed)" -gt "$failed" ]; then
    printf '  the last failure: %s\n' "$(status last_failure)"
    [ "${1:-}" = may-fail ] || wrong=1
  fi
}

step_down() { # WHAT TEXT RUNG
  begin "$2"
  bring "$1"
  await "$3"
  sleep "$hold"
  bring all/mend
  await normal
  end
}

api() { # HOW TEXT
  begin "$2"
  bring "api/$1"
  sleep "$hold"
  await normal
  bring api/mend
  end
}

scene() {
  case $1 in
    api-slow) api slow "The API takes 1.5 s: values are answered while it is asked in the background." ;;
    api-flaky) api flaky "The API fails every other call: old values stand in." ;;
    api-dead) api dead "The API hangs up on everybody: old values stand in, flagged." ;;
    redis-killed) step_down redis/kill "Redis is killed." local-only ;;
    redis-frozen) step_down redis/freeze "Redis is frozen: it holds its connections and says nothing." local-only ;;
    redis-slow) step_down redis/slow "Redis takes 2 s for everything." local-only ;;
    everything)
      begin "Redis is frozen, the disk is gone, the API is dead."
      bring api/dead
      bring disk/remove
      bring redis/freeze
      await read-only
      sleep "$hold"
      end
      begin "The API is back, and the first that there is: after some time of refusing writes, reads go straight to it."
      bring api/mend
      await direct
      sleep "$hold"
      printf '  all is mended\n'
      bring all/mend
      await normal
      end may-fail
      ;;
    *) die "there is no scene '$1'; there is ${scenes[*]}" ;;
  esac
}

[ "${BASH_VERSINFO[0]}" -ge 5 ] || die "bash 5 is needed, this is $BASH_VERSION"
[ $# -eq 0 ] || scenes=("$@")
look
trap 'request POST /break/all/mend >/dev/null || true' EXIT
await normal
for name in "${scenes[@]}"; do scene "$name"; done
look
printf '\n%s moves on the ladder; %s %% of all reads cost no call of the API\n' "$(status moves)" "$(status api_calls_saved_percent)"
exit "$wrong"
