# Sourced by tests that run whole programs: a directory for their files, and local_cloud in a process of its own.

# No setting of the caller's may reach a program.
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\|COGNITO_[A-Z_]*\|SQS_[A-Z_]*\|API_URL\)=.*/\1/p'); do unset "$name"; done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 LC_ALL=C

work=$(mktemp -d)
servers=
trap 'end_all' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "failed: $*" >&2
  exit 1
}

skip() {
  echo "skipped: $*"
  exit 77
}

end_all() {
  status=$?
  for server in $servers; do
    kill "$server" 2>/dev/null || true
    ended=0
    wait "$server" 2>/dev/null || ended=$?
    # 143: by our signal; 127: waited for before.
    case $ended in
      0 | 127 | 143) ;;
      *)
        echo "failed: a process ended with $ended: $(cat "$work/server.log")" >&2
        [ $status != 0 ] || status=1
        ;;
    esac
  done
  rm -rf "$work"
  exit $status
}

# start_server PROGRAM ARGS...: returns once it has printed "ready", with the NAME=value lines before that in the
# environment.
start_server() {
  mkfifo "$work/server"
  "$@" >"$work/server" 2>"$work/server.log" &
  servers="$servers $!"
  # Held open: the server may print more.
  exec 3<"$work/server"
  while read -r line <&3; do
    if [ "$line" = ready ]; then return; fi
    case $line in [A-Z]*=*) export "${line?}" ;; esac
  done
  fail "$1 ended: $(cat "$work/server.log")"
}

start_cloud() { start_server "$1" --host 127.0.0.1 --port 0 --queue orders.fifo; }
