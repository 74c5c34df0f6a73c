#!/bin/sh
# destroy.sh [--stack dmq] [--yes]
#
# Deletes the stack with its queues and the messages in them, its app clients and logs, and the function's zips. The
# account's role for API Gateway's logs stays, because other APIs may use it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

stack=dmq yes=no
usage="usage: destroy.sh [--stack NAME] [--yes]"
while [ $# -gt 0 ]; do
  case $1 in
    --stack)
      [ $# -ge 2 ] || fail "--stack needs a value. $usage"
      stack=$2
      shift
      ;;
    --yes) yes=yes ;;
    *) fail "$usage" ;;
  esac
  shift
done
check_stack_name "$stack"
need_aws
stack_exists "$stack" || fail "There is no stack $stack in $AWS_REGION."

if [ $yes = no ]; then
  say "This deletes the stack $stack of account $account in $AWS_REGION: its queues, with every message in them, its"
  printf '%s' "app clients and its logs. There is no way back. Type the stack's name to go on: "
  read -r answer || answer=
  [ "$answer" = "$stack" ] || fail "Nothing was deleted."
fi

aws cloudformation delete-stack --stack-name "$stack" || fail "The stack $stack can't be deleted; see above."
aws cloudformation wait stack-delete-complete --stack-name "$stack" || fail "The stack $stack was not deleted. Why:
  aws cloudformation describe-stack-events --stack-name $stack --region $AWS_REGION"

# The bucket goes with the zips of the last stack.
if find_bucket; then
  aws s3 rm --recursive --only-show-errors "s3://$bucket/$stack/" ||
    fail "The zips in the bucket $bucket were not deleted; see above."
  left=$(aws s3api list-objects-v2 --bucket "$bucket" --max-items 1 --query 'Contents[0].Key' --output text) ||
    fail "What is left in the bucket $bucket can't be listed; see above."
  case $left in
    "" | None) aws s3 rb "s3://$bucket" || fail "The bucket $bucket was not deleted; see above." ;;
  esac
fi
say "Deleted the stack $stack."
