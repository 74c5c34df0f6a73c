#!/bin/sh
# breaks.sh DMQ_SIM: each rule, when it is broken, is caught within 2,000 schedules, on one that passes otherwise.
set -eu
failed=0
for rule in $("$1" --break list); do
  caught=$("$1" --break "$rule" --seeds 1..2000 | grep '^caught by ') || caught='NOT NOTICED'
  printf '%-28s %s\n' "$rule" "$caught"
  [ "$caught" != 'NOT NOTICED' ] || failed=1
done
exit $failed
