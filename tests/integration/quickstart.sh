#!/bin/sh
# The quickstart counts what it delivers, and notices a message that is lost: quickstart.sh PROGRAM
set -eu
all='delivered 300 of 300, in order in 6 groups, 0 lost, 0 duplicated, 3 token requests'
test "$("$1" | tail -n 1)" = "$all" || { echo 'the whole way does not deliver all'; exit 1; }
for n in 1 17 300; do
  last=$("$1" --lose "$n" | tail -n 1)
  case $last in
  'delivered 299 of 300, '*' 1 lost, 0 duplicated, '*) ;;
  *) echo "with message $n lost it says: $last"; exit 1 ;;
  esac
done
"$1" --lose 17 >/dev/null && { echo 'a loss is no failure'; exit 1; }
exit 0
