#!/bin/sh
# with_cloud.sh LOCAL_CLOUD NPM_DIRECTORY SCRIPT ARGS...: a script of this directory, with local_cloud.
set -eu
here=$(dirname "$0")
. "$here/../cloud.sh"
npm=$2
. "$here/node.sh"
start_cloud "$1"
shift 2
script=$1
shift
node "$npm/$script" "$@" || fail "$script"
