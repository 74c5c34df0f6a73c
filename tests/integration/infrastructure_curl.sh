#!/bin/sh
# infrastructure_curl.sh LOCAL_CLOUD CONSUMER README: what the README of examples/infrastructure does with curl.
set -eu
here=$(dirname "$0")
. "$here/cloud.sh"
start_cloud "$1"
awk '/^```/ { if (inside && block ~ /client_credentials/) printf "%s", block; inside = $0 == "```sh"; block = ""; next }
     inside { block = block $0 "\n" }' "$3" >"$work/publish.sh"
[ -s "$work/publish.sh" ] || fail "the README publishes nothing with curl"
sh -eu "$work/publish.sh" >"$work/answer" || fail "the README's commands failed"
md5=$(printf '{"total": 42}' | md5sum | cut -c 1-32)
grep -q "\"MD5OfMessageBody\":\"$md5\"" "$work/answer" || fail "not accepted: $(cat "$work/answer")"
"$2" --max 1 --idle 5 2>"$work/log" | cut -f 1,3 >"$work/out"
printf 'order-7\t{"total": 42}\n' | cmp - "$work/out" || fail "another thing came out: $(cat "$work/out")"
