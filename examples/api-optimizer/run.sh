#!/usr/bin/env bash
# Builds the example when sources are newer than the last build, and runs it.
#   run.sh [PORT [READS-PER-SECOND]]    default: 8090 400
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -P "$here/../.." && pwd)
jar=$here/target/api-optimizer/api-optimizer.jar
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

stale() {
  [ ! -r "$jar" ] || [ -n "$(find "$root" \( -name target -o -name .git -o -name test -o -name data \) -prune \
    -o \( -path '*/src/main/*' -o -name pom.xml \) -type f -newer "$jar" -print -quit)" ]
}

if stale; then
  echo "building; Maven may download what it needs ..." >&2
  (cd "$root" && mvn -q -B -Dmaven.test.skip=true -Denforcer.skip -Dspotless.check.skip -Dspotless.apply.skip \
    -Dcompiler.warnings.fail=false -pl examples/api-optimizer -am package) </dev/null
  touch "$jar"
fi
exec "$java" -Xmx256m -XX:+UseSerialGC -jar "$jar" "$@"
