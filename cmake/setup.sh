# Sourced by tests/run.sh, tests/bench/run.sh and examples/quickstart.sh. `root` is the top of the checkout.
#
#   dmq_setup library | tests | benchmarks   looks for what the build needs, installs what is missing
#   dmq_configure DIR ARGS...                runs cmake
#   dmq_build DIR TARGET...                  builds, telling how far it is
#
# Read from the environment: CXX, DMQ_CMAKE_ARGS (more arguments for cmake).

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

compiler() {
  for candidate in ${CXX:+"$CXX"} g++ clang++ c++; do
    have "$candidate" && printf '%s\n' "$candidate" && return
  done
  return 1
}

# A library counts as present when the compiler finds its header: it may have come another way than as a package.
has_header() { printf '#include <%s>\n' "$1" | "$(compiler)" -std=c++20 -E -x c++ - >/dev/null 2>&1; }

# The Python of the system is the one that Debian's packages are for.
python() { if [ -x /usr/bin/python3 ]; then say /usr/bin/python3; else say python3; fi; }
has_python_module() { "$(python)" -c "import $1" >/dev/null 2>&1; }

# The Debian packages that are missing for $1.
missing_packages() {
  have cmake || say cmake
  have ninja || have make || say ninja-build
  have pkg-config || say pkg-config
  if [ "$1" = tests ]; then
    have openssl || say openssl
    have curl || say curl
    has_python_module yaml || say python3-yaml
  fi
  [ "$1" = library ] || has_python_module boto3 || say python3-boto3
  if [ "$1" = benchmarks ]; then
    [ -x /usr/sbin/nginx ] || say nginx-light
    [ -f /usr/lib/nginx/modules/ngx_http_echo_module.so ] || say libnginx-mod-http-echo
  fi
  if ! compiler >/dev/null; then
    # Without a compiler there is no telling which headers there are; apt-get leaves alone what is installed.
    say g++ libcurl4-openssl-dev libsimdjson-dev libssl-dev
    case $1 in
      tests) say doctest-dev libcpp-httplib-dev ;;
      benchmarks) say libbenchmark-dev libcpp-httplib-dev ;;
    esac
    return
  fi
  has_header curl/curl.h || say libcurl4-openssl-dev
  has_header simdjson.h || say libsimdjson-dev
  has_header openssl/evp.h || say libssl-dev
  [ "$1" != library ] || return 0
  has_header httplib.h || say libcpp-httplib-dev
  [ "$1" != benchmarks ] || has_header benchmark/benchmark.h || say libbenchmark-dev
  [ "$1" != tests ] || has_header doctest/doctest.h || say doctest-dev
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
  log=$(mktemp)
  say "Installing $*"
  installed=no
  forbid_services
  { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"; } \
    >"$log" 2>&1 </dev/null && installed=yes
  allow_services
  if [ "$installed" = no ]; then
    cat "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: $*"
  fi
  rm -f "$log"
}

# A server that comes with a package is for the measurements, and must not start and listen to the world.
services=/usr/sbin/policy-rc.d
forbid_services() {
  forbidden=no
  [ -e "$services" ] && return
  forbidden=yes
  trap 'allow_services; exit 1' INT TERM HUP
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$services && chmod 755 $services"
}
allow_services() {
  [ "$forbidden" = yes ] || return 0
  as_root rm -f "$services"
  trap - INT TERM HUP
}

dmq_setup() {
  if [ -n "${CXX:-}" ] && ! have "$CXX"; then fail "CXX is $CXX, and there is no such program."; fi
  missing=$(missing_packages "$1" | tr '\n' ' ')
  missing=${missing% }
  [ -n "$missing" ] || return 0
  have apt-get || fail "Missing (by their names in Debian): $missing"
  [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; } || fail "Missing: $missing
Install them with: sudo apt-get install $missing"
  # shellcheck disable=SC2086
  apt_install $missing
  missing=$(missing_packages "$1" | tr '\n' ' ')
  [ -z "$missing" ] || fail "Still missing after the installation: $missing"
}

dmq_configure() {
  directory=$1
  shift
  mkdir -p "$directory"
  if [ ! -f "$directory/CMakeCache.txt" ] && have ninja; then set -- -G Ninja "$@"; fi
  if have ccache; then set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"; fi
  # shellcheck disable=SC2086
  if ! cmake -S "$root" -B "$directory" -DCMAKE_CXX_COMPILER="$(compiler)" "$@" ${DMQ_CMAKE_ARGS:-} \
       >"$directory/configure.log" 2>&1; then
    cat "$directory/configure.log" >&2
    fail "cmake failed. dmq needs CMake 3.24, libcurl 7.87, OpenSSL 3.0 and simdjson 3.0, or newer."
  fi
}

# Copies standard input to the file $1 and shows on standard output how far ninja, make or ctest is, every tenth part.
progress() {
  log=$1
  shown=0
  : >"$log"
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    case $line in
      \[*%\]*) done=${line%%\%*} of=100 ;;
      \[*/*\]*) done=${line%%/*} of=${line%%\]*} of=${of#*/} ;;
      *[0-9]/[0-9]*\ Test*) done=${line%%/*} of=${line#*/} of=${of%%\ *} ;;
      *) continue ;;
    esac
    done=${done#\[}
    done=${done##* }
    case $done$of in *[!0-9]* | '') continue ;; esac
    [ "$of" -gt 0 ] && [ $((done * 10 / of)) -gt "$shown" ] || continue
    shown=$((done * 10 / of))
    printf ' %s0%%' "$shown"
  done
  printf '\n'
}

# progress, keeping the exit status of the command: tracked LOG COMMAND...
tracked() {
  tracked_log=$1
  shift
  {
    "$@" 2>&1 </dev/null
    printf '%s' $? >"$tracked_log.status"
  } | progress "$tracked_log"
  tracked_status=$(cat "$tracked_log.status")
  rm -f "$tracked_log.status"
  return "$tracked_status"
}

dmq_build() {
  directory=$1
  shift
  printf 'Building: '
  if ! tracked "$directory/build.log" cmake --build "$directory" --parallel "$(nproc 2>/dev/null || echo 2)" \
       ${1:+--target "$@"}; then
    cat "$directory/build.log" >&2
    fail "The build failed."
  fi
}
