#!/bin/sh
# scripts.sh SOURCE: deploy.sh, env.sh and destroy.sh of examples/infrastructure, with an aws that records its calls.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scripts=$1/examples/infrastructure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\|COGNITO_[A-Z_]*\|SQS_[A-Z_]*\|API_URL\)=.*/\1/p'); do
  unset "$name"
done
export FAKE="$work/fake" LC_ALL=C
mkdir "$work/bin" "$work/bare"
cp "$here/fake_aws.sh" "$work/bin/aws"
chmod +x "$work/bin/aws"
# Everything that the scripts call but aws.
for program in sh cat sed tr awk grep dirname cut uname sha256sum; do ln -s "$(command -v $program)" "$work/bare/"; done

fail() {
  echo "failed: $*" >&2
  echo "--- output" >&2
  cat "$work/out" >&2
  echo "--- calls" >&2
  cat "$FAKE/calls" >&2
  exit 1
}

# fresh NAME=VALUE...: what the fake says; everything else is as in an account without anything.
fresh() {
  rm -rf "$FAKE"
  mkdir "$FAKE"
  : >"$FAKE/calls"
  printf '%s\n' eu-central-1 >"$FAKE/region"
  printf '%s\n' "s3cret'\$(touch $work/evil)" >"$FAKE/secret"
  for fact; do printf '%s\n' "${fact#*=}" >"$FAKE/${fact%%=*}"; done
}

# run SCRIPT ARGS...: sets status, and keeps what it said in $work/out.
run() {
  script=$1
  shift
  status=0
  PATH=$work/bin:$work/bare sh "$scripts/$script.sh" "$@" >"$work/out" 2>&1 </dev/null || status=$?
}
succeeds() {
  run "$@"
  [ "$status" = 0 ] || fail "$* ended with $status"
}
refuses() {
  says=$1
  shift
  run "$@"
  [ "$status" = 1 ] || fail "$* ended with $status"
  grep -qF -e "$says" "$work/out" || fail "$* does not say: $says"
}
called() { grep -qF -e "$1" "$FAKE/calls" || fail "was not called: $1"; }
not_called() { if grep -qF -e "$1" "$FAKE/calls"; then fail "was called: $1"; fi; }

for script in "$scripts"/*.sh "$here"/*.sh; do
  sh -n "$script"
  if command -v shellcheck >/dev/null; then shellcheck -s sh -x -P "$scripts" "$script"; fi
done
command -v shellcheck >/dev/null || echo "shellcheck is not here, and was not asked"

# What is missing is told, before anything is changed.
for script in deploy env destroy; do
  fresh
  : >"$work/out"
  if PATH=$work/bare sh "$scripts/$script.sh" >"$work/out" 2>&1; then fail "$script.sh succeeds without aws"; fi
  grep -q 'aws command line tool is missing' "$work/out" || fail "$script.sh does not say that aws is missing"
  fresh region=
  refuses "There is no Region" "$script"
  fresh "broken=sts get-caller-identity"
  refuses "AWS does not know who you are" "$script"
  fresh "broken=cloudformation describe-stacks"
  refuses "can't be looked at: An error occurred (AccessDenied)" "$script"
  fresh
  refuses "letters, digits and hyphens" "$script" --stack 'a;b'
  refuses "longer than 64" "$script" --stack "$(printf '%065d' 0 | tr 0 a)"
  refuses "--stack needs a value" "$script" --stack
  [ ! -s "$FAKE/calls" ] || fail "$script.sh calls aws before it has read its arguments"
done

# deploy.sh: anew, where the account has no role for logs; with a role; an update.
fresh
succeeds deploy
called "[cloudformation][deploy][--stack-name][dmq]"
called "[--capabilities][CAPABILITY_IAM][--no-fail-on-empty-changeset][--parameter-overrides][GatewayLogRole=create]"
called "[apigateway][create-deployment][--rest-api-id][id-of-Api][--stage-name][id-of-Stage]"
not_called "[s3"
fresh role=arn:aws:iam::123456789012:role/logs
succeeds deploy --stack orders Producer2=billing "AlarmTopic=arn:aws:sns:eu-central-1:123456789012:t"
called "[--stack-name][orders]"
called "[--parameter-overrides][Producer2=billing][AlarmTopic=arn:aws:sns:eu-central-1:123456789012:t]"
not_called GatewayLogRole
fresh stack=UPDATE_COMPLETE
succeeds deploy
not_called "--parameter-overrides"
not_called "get-account"
fresh stack=REVIEW_IN_PROGRESS
succeeds deploy
called "GatewayLogRole=create"

# With a function: its zip goes under a name made of its bytes.
echo zip >"$work/f.zip"
sum=$(sha256sum "$work/f.zip" | cut -c 1-64)
fresh
succeeds deploy --function "$work/f.zip"
called "[s3api][head-bucket][--bucket][dmq-code-123456789012-eu-central-1][--expected-bucket-owner][123456789012]"
called "[s3][mb][s3://dmq-code-123456789012-eu-central-1]"
called "[$work/f.zip][s3://dmq-code-123456789012-eu-central-1/dmq/$sum.zip]"
called "[FunctionBucket=dmq-code-123456789012-eu-central-1][FunctionKey=dmq/$sum.zip][FunctionArchitecture="
fresh bucket= stack=UPDATE_COMPLETE
succeeds deploy --function "$work/f.zip"
not_called "[s3][mb]"

fresh
refuses "There is no $work/none.zip" deploy --function "$work/none.zip"
refuses 'The template has no parameter "Producer9"' deploy Producer9=x
refuses 'is no PARAMETER=VALUE' deploy Producer2
refuses "usage: deploy.sh" deploy --other
[ ! -s "$FAKE/calls" ] || fail "deploy.sh calls aws for nothing"
for broken in "cloudformation deploy" "apigateway create-deployment" "apigateway get-account" "s3 mb" "s3 cp"; do
  fresh "broken=$broken"
  run deploy --function "$work/f.zip"
  [ "$status" = 1 ] || fail "deploy.sh ended with $status, and $broken failed"
  if grep -q '^Deployed' "$work/out"; then fail "deploy.sh says Deployed, and $broken failed"; fi
done
fresh
succeeds deploy
if grep -q s3cret "$work/out"; then fail "deploy.sh prints a secret"; fi

# env.sh: what it prints becomes the environment, byte for byte, and nothing of it is run.
evaluated() (
  eval "$(PATH=$work/bin:$work/bare sh "$scripts/env.sh" "$@" 2>"$work/out")"
  env
)
fresh stack=CREATE_COMPLETE
evaluated >"$work/env"
for line in API_URL=https://a1.execute-api.eu-central-1.amazonaws.com/v1/publish-queue AWS_REGION=eu-central-1 \
  COGNITO_CLIENT_ID=id-of-Producer1Client COGNITO_CLIENT_SCOPE=dmq/publish COGNITO_URL_PREFIX=dmq-0a1b2c3d \
  SQS_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/123456789012/dmq.fifo \
  "COGNITO_CLIENT_SECRET=s3cret'\$(touch $work/evil)"; do
  grep -qxF -e "$line" "$work/env" || fail "the environment has no $line"
done
[ ! -e "$work/evil" ] || fail "a secret was run"
evaluated billing >"$work/env"
grep -qx COGNITO_CLIENT_ID=id-of-Producer2Client "$work/env" || fail "billing is not the second producer"
called "[cognito-idp][describe-user-pool-client][--user-pool-id][eu-central-1_Pool][--client-id][id-of-Producer2Client]"
refuses 'There is no producer "other"' env other
refuses "usage: env.sh" env a b
fresh
refuses "There is no stack dmq in eu-central-1" env
for broken in "cloudformation describe-stack-resource" "cognito-idp describe-user-pool-client"; do
  fresh stack=CREATE_COMPLETE "broken=$broken"
  run env
  [ "$status" = 1 ] || fail "env.sh ended with $status, and $broken failed"
  if grep -q export "$work/out"; then fail "env.sh prints half an environment"; fi
done
fresh stack=CREATE_COMPLETE secret=None
refuses "has no secret" env

# destroy.sh: only after the stack's name.
answers() {
  answer=$1
  shift
  status=0
  printf '%s\n' "$answer" | PATH=$work/bin:$work/bare sh "$scripts/destroy.sh" "$@" >"$work/out" 2>&1 || status=$?
}
for answer in "" y yes DMQ; do
  fresh stack=CREATE_COMPLETE
  answers "$answer"
  [ "$status" = 1 ] || fail "destroy.sh ended with $status after '$answer'"
  not_called delete-stack
done
fresh stack=CREATE_COMPLETE
refuses "Nothing was deleted" destroy # At the end of its input.
not_called delete-stack
answers dmq
[ "$status" = 0 ] || fail "destroy.sh ended with $status"
called "[cloudformation][delete-stack][--stack-name][dmq]"
called "[cloudformation][wait][stack-delete-complete][--stack-name][dmq]"
not_called "[s3]"
fresh stack=CREATE_COMPLETE bucket=
succeeds destroy --yes --stack orders
called "[s3][rm][--recursive][--only-show-errors][s3://dmq-code-123456789012-eu-central-1/orders/]"
called "[s3][rb][s3://dmq-code-123456789012-eu-central-1]"
fresh stack=CREATE_COMPLETE bucket= objects=other/1.zip
succeeds destroy --yes
not_called "[s3][rb]"
fresh
refuses "There is no stack dmq" destroy --yes
for broken in "cloudformation delete-stack" "cloudformation wait" "s3 rm" "s3api list-objects-v2" "s3 rb"; do
  fresh stack=CREATE_COMPLETE bucket= "broken=$broken"
  run destroy --yes
  [ "$status" = 1 ] || fail "destroy.sh ended with $status, and $broken failed"
done
echo "deploy.sh, env.sh and destroy.sh do what they say"
