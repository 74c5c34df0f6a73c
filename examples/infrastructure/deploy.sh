#!/bin/sh
# deploy.sh [--stack dmq] [--function ZIP] [NAME=VALUE]...
#
# Makes the stack of template.yaml, or brings it up to date. NAME=VALUE sets a parameter of the template; one that is
# not given stays as it is. --function deploys the zip that lambda_consumer_zip builds, or one of your own. Nothing that
# is printed is secret. Where: AWS_REGION, else the region of your profile.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

stack=dmq zip=
usage="usage: deploy.sh [--stack NAME] [--function ZIP] [PARAMETER=VALUE]..."
while [ $# -gt 0 ]; do
  case $1 in
    --stack | --function)
      [ $# -ge 2 ] || fail "$1 needs a value. $usage"
      if [ "$1" = --stack ]; then stack=$2; else zip=$2; fi
      shift 2
      ;;
    -*) fail "$usage" ;;
    *) break ;;
  esac
done
for parameter; do
  name=${parameter%%=*}
  case $parameter in *=*) ;; *) fail "\"$parameter\" is no PARAMETER=VALUE. $usage" ;; esac
  grep -q "^  $name:\$" "$here/template.yaml" || fail "The template has no parameter \"$name\"."
done
check_stack_name "$stack"
if [ -n "$zip" ]; then
  [ -f "$zip" ] || fail "There is no $zip. Build it with:
  cmake -B build -DDMQ_BUILD_TESTS=OFF -DCMAKE_BUILD_TYPE=Release && cmake --build build --target lambda_consumer_zip
  sh examples/infrastructure/deploy.sh --function build/examples/lambda_consumer.zip"
fi
need_aws

if stack_exists "$stack"; then
  say "Updating the stack $stack in $AWS_REGION"
else
  say "Making the stack $stack in $AWS_REGION"
  # The account's role for the logs of API Gateway, unless it has one.
  role=$(aws apigateway get-account --query cloudwatchRoleArn --output text) ||
    fail "API Gateway's settings can't be read; see above."
  case $role in "" | None) set -- GatewayLogRole=create "$@" ;; esac
fi

if [ -n "$zip" ]; then
  # The name is a new one for new bytes, or CloudFormation would see no change.
  key=$stack/$({ sha256sum "$zip" 2>/dev/null || shasum -a 256 "$zip"; } | cut -c 1-64).zip
  if ! find_bucket; then
    say "Making the bucket $bucket"
    aws s3 mb "s3://$bucket" || fail "The bucket $bucket can't be made; see above."
  fi
  aws s3 cp --only-show-errors "$zip" "s3://$bucket/$key" || fail "$zip can't be uploaded; see above."
  case $(uname -m) in aarch64 | arm64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
  set -- "FunctionBucket=$bucket" "FunctionKey=$key" "FunctionArchitecture=$architecture" "$@"
fi

if [ $# -gt 0 ]; then set -- --parameter-overrides "$@"; fi
aws cloudformation deploy --stack-name "$stack" --template-file "$here/template.yaml" --capabilities CAPABILITY_IAM \
  --no-fail-on-empty-changeset "$@" ||
  fail "The stack was not deployed. What went wrong:
  aws cloudformation describe-stack-events --stack-name $stack --region $AWS_REGION
A stack whose first deployment failed has to be destroyed before the next."

# CloudFormation deploys an API once; a change of a route reaches its stage with a deployment of its own.
if ! { api=$(physical_id "$stack" Api) && stage=$(physical_id "$stack" Stage) &&
  aws apigateway create-deployment --rest-api-id "$api" --stage-name "$stage" >/dev/null; }; then
  fail "The routes were not deployed to the stage; run this again."
fi

say "Deployed:"
aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' \
  --output text
say "For a program's environment: eval \"\$(sh $here/env.sh --stack $stack)\""
