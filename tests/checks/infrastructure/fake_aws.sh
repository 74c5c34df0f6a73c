#!/bin/sh
# In the place of aws for scripts.sh: records each call in $FAKE/calls, an argument in brackets, and answers from what
# the files in $FAKE say. A file named "broken" holds the call that fails.
for argument; do printf '[%s]' "$argument"; done >>"$FAKE/calls"
echo >>"$FAKE/calls"
call="$1 $2"
if [ -f "$FAKE/broken" ] && [ "$(cat "$FAKE/broken")" = "$call" ]; then
  echo "An error occurred (AccessDenied) when calling it" >&2
  exit 254
fi
case "$call $*" in
  "configure get"*) [ ! -f "$FAKE/region" ] || cat "$FAKE/region" ;;
  "sts get-caller-identity"*) echo 123456789012 ;;
  *describe-stacks*StackStatus*)
    if [ ! -f "$FAKE/stack" ]; then
      echo "An error occurred (ValidationError): Stack with id $4 does not exist" >&2
      exit 254
    fi
    cat "$FAKE/stack"
    ;;
  *describe-stacks*Parameters*) printf 'Producer1\tproducer\nProducer2\tbilling\nProducer3\t\n' ;;
  *describe-stacks*Outputs*)
    printf 'ApiUrl\thttps://a1.execute-api.eu-central-1.amazonaws.com/v1/publish-queue\nAwsRegion\teu-central-1\n'
    printf 'CognitoClientId\tid-of-Producer1Client\nCognitoClientScope\tdmq/publish\nCognitoUrlPrefix\tdmq-0a1b2c3d\n'
    printf 'SqsQueueUrl\thttps://sqs.eu-central-1.amazonaws.com/123456789012/dmq.fifo\n'
    ;;
  *describe-stack-resource*UserPool*) echo eu-central-1_Pool ;;
  *describe-stack-resource*) echo "eu-central-1_Pool|id-of-$6" ;;
  *describe-user-pool-client*) cat "$FAKE/secret" ;;
  "apigateway get-account"*) if [ -f "$FAKE/role" ]; then cat "$FAKE/role"; else echo None; fi ;;
  "s3api head-bucket"*) [ -f "$FAKE/bucket" ] ;;
  "s3api list-objects-v2"*) if [ -f "$FAKE/objects" ]; then cat "$FAKE/objects"; else echo None; fi ;;
  "s3 mb"*) : >"$FAKE/bucket" ;;
esac
