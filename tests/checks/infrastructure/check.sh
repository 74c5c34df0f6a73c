#!/bin/sh
# check.sh SOURCE: what must hold of the template of examples/infrastructure, by rules of our own, and by cfn-lint where
# there is one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
template=$1/examples/infrastructure/template.yaml

python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import yaml' 2>/dev/null; then
  echo "skipped: python3-yaml is not installed, so the CloudFormation template can't be read"
  [ "${DMQ_REQUIRE_YAML:-0}" != 1 ] || exit 1
  exit 77
fi
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/check.py" "$template" "$1/README.md"

if command -v cfn-lint >/dev/null && cfn-lint --version >/dev/null 2>&1; then
  cfn-lint --non-zero-exit-code error "$template"
else
  echo "cfn-lint is not here, and was not asked"
fi
