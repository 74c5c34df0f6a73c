# Sourced by the scripts beside this file.

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# need_aws: the tool is here and knows who is asking, and AWS_REGION says where.
need_aws() {
  command -v aws >/dev/null 2>&1 || fail "The aws command line tool is missing. Debian has it as awscli, and AWS at
https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
  AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [ -n "$AWS_REGION" ] || fail "There is no Region. Set AWS_REGION, such as: export AWS_REGION=eu-central-1"
  export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION" AWS_PAGER=
  account=$(aws sts get-caller-identity --query Account --output text) ||
    fail "AWS does not know who you are. Run aws configure, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, and see that aws sts get-caller-identity succeeds."
}

# check_stack_name NAME: the queues are named after the stack, and a name of theirs has at most 80 characters.
check_stack_name() {
  case $1 in
    [A-Za-z]*) ;;
    *) fail "A stack's name begins with a letter: \"$1\"" ;;
  esac
  case $1 in *[!A-Za-z0-9-]*) fail "A stack's name has letters, digits and hyphens: \"$1\"" ;; esac
  [ ${#1} -le 64 ] || fail "The stack's name is longer than 64 characters, so its queues' would be too long."
}

# stack_exists NAME: whether it does, and has been deployed. When there is no telling, that is the end.
stack_exists() {
  if said=$(aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text 2>&1)
  then
    [ "$said" != REVIEW_IN_PROGRESS ] || return 1
    return 0
  fi
  case $said in *"does not exist"*) return 1 ;; esac
  fail "The stack $1 can't be looked at: $said"
}

# physical_id STACK LOGICAL_ID: what AWS calls the resource.
physical_id() {
  found=$(aws cloudformation describe-stack-resource --stack-name "$1" --logical-resource-id "$2" \
    --query StackResourceDetail.PhysicalResourceId --output text) || return
  printf '%s\n' "${found##*|}"
}

# Where deploy.sh puts zips: sets bucket, and returns whether there is one. One of somebody else's is none.
find_bucket() {
  bucket=dmq-code-$account-$AWS_REGION
  aws s3api head-bucket --bucket "$bucket" --expected-bucket-owner "$account" >/dev/null 2>&1
}
