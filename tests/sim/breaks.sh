#!/bin/sh
# breaks.sh DMQ_SIM PROFILE: each rule, when it is broken, is caught within 2,000 schedules, on one that passes otherwise.
set -eu
rules=$("$1" --profile "$2" --break list)
[ "$(printf '%s\n' "$rules" | wc -l)" -ge 10 ] || { echo "too few rules can be broken"; exit 1; }
failed=0
for rule in $rules; do
  caught=$("$1" --profile "$2" --break "$rule" --seeds 1..2000 | grep '^caught by ') || caught='NOT NOTICED'
  printf '%-28s %s\n' "$rule" "$caught"
  [ "$caught" != 'NOT NOTICED' ] || failed=1
done
exit $failed
