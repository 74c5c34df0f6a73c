#!/bin/sh
# eval "$(sh env.sh [--stack dmq] [PRODUCER])"
#
# Prints the environment for a producer, by its name; without one, for the first. It holds the producer's secret: leave
# it to eval or to a file that only you may read, and keep it off the screen.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

stack=dmq
if [ "${1:-}" = --stack ]; then
  [ $# -ge 2 ] || fail "--stack needs a value."
  stack=$2
  shift 2
fi
[ $# -le 1 ] || fail "usage: env.sh [--stack NAME] [PRODUCER]"
case ${1:-} in -*) fail "usage: env.sh [--stack NAME] [PRODUCER]" ;; esac
producer=${1:-}
check_stack_name "$stack"
need_aws
tab=$(printf '\t')

stack_exists "$stack" || fail "There is no stack $stack in $AWS_REGION. Make it with deploy.sh."

slot=Producer1
if [ -n "$producer" ]; then
  producers=$(aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Parameters[?starts_with(ParameterKey, 'Producer')].[ParameterKey,ParameterValue]") ||
    fail "The parameters of $stack can't be read; see above."
  slot=$(printf '%s\n' "$producers" | awk -F '\t' -v name="$producer" '$2 == name { print $1; exit }')
  [ -n "$slot" ] || fail "There is no producer \"$producer\" in the stack $stack. To add it, give the first name that
is free: deploy.sh --stack $stack Producer2=$producer"
fi
outputs=$(aws cloudformation describe-stacks --stack-name "$stack" --output text \
  --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]') || fail "The outputs of $stack can't be read; see above."
if ! { pool=$(physical_id "$stack" UserPool) && client=$(physical_id "$stack" "${slot}Client"); }; then
  fail "The app client of the producer can't be found; see above."
fi
secret=$(aws cognito-idp describe-user-pool-client --user-pool-id "$pool" --client-id "$client" \
  --query UserPoolClient.ClientSecret --output text) || fail "The secret can't be read; see above."
case $secret in "" | None) fail "The app client $client has no secret that can be read." ;; esac

# assign NAME VALUE: for a shell that evaluates it.
assign() { printf "export %s='%s'\n" "$1" "$(printf '%s' "$2" | sed "s/'/'\\\\''/g")"; }

# ApiUrl is API_URL.
printf '%s\n' "$outputs" | while IFS=$tab read -r name value; do
  name=$(printf '%s\n' "$name" | sed 's/\([a-z0-9]\)\([A-Z]\)/\1_\2/g' | tr '[:lower:]' '[:upper:]')
  if [ "$name" = COGNITO_CLIENT_ID ]; then value=$client; fi
  assign "$name" "$value"
done
assign COGNITO_CLIENT_SECRET "$secret"
