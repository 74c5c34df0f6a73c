#!/bin/sh
# infrastructure.sh LOCAL_CLOUD NPM_DIRECTORY SOURCE SCRIPT: a script of this directory, with local_cloud and with the
# template of examples/infrastructure as JSON in the file TEMPLATE.
set -eu
here=$(dirname "$0")
. "$here/../cloud.sh"
npm=$2
. "$here/node.sh"

python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import yaml' 2>/dev/null; then
  [ "${DMQ_REQUIRE_YAML:-0}" != 1 ] || fail "python3-yaml is not installed"
  skip "python3-yaml is not installed, so the CloudFormation template can't be read"
fi
export TEMPLATE="$work/template.json" PYTHONDONTWRITEBYTECODE=1
"$python" "$3/tests/checks/infrastructure/template.py" "$3/examples/infrastructure/template.yaml" >"$TEMPLATE"
start_cloud "$1"
node "$npm/$4" || fail "$4"
