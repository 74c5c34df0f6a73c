#!/bin/sh
# lambda_package.sh CMAKE SOURCE PROGRAM ZIP COMPILER TESTS
# ZIP holds lambda_consumer for Lambda: unpacked elsewhere it passes the tests of the program PROGRAM. And what can't be
# packed is refused, saying why.
set -eu
cmake=$1 source=$2 program=$3 zip=$4 compiler=$5 tests=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "failed: $*" >&2
  exit 1
}

mkdir "$work/task"
(cd "$work/task" && "$cmake" -E tar xf "$zip")
[ -x "$work/task/bootstrap" ] || fail "the zip has no bootstrap that can be run"
ls "$work"/task/lib/libcurl.so.* >/dev/null || fail "the zip has no libcurl"
DMQ_LAMBDA_PROGRAM=$work/task/bootstrap "$tests" --test-case='lambda program*' --no-version

# pack NAME=VALUE...: sets packed to what it says, and returns its status.
pack() {
  packed=$("$cmake" "$@" -DZIP="$work/out.zip" -P "$source/cmake/dmq-lambda-zip.cmake" 2>&1)
}

# With the C library of this machine left out, everything else comes from the zip; or that library is too new.
if pack -DPROGRAM="$program" -DBUNDLE_GLIBC=FALSE; then
  mkdir "$work/bare"
  (cd "$work/bare" && "$cmake" -E tar xf "$work/out.zip")
  for library in "$work"/bare/lib/libc.so.* "$work"/bare/lib/libm.so.* "$work"/bare/lib/ld-linux*; do
    [ ! -e "$library" ] || fail "glibc is in the zip: $library"
  done
  DMQ_LAMBDA_PROGRAM=$work/bare/bootstrap "$tests" --test-case='lambda program: prints*' --no-version
else
  echo "$packed" | tr -s ' \n' ' ' | grep -q 'needs glibc 2\.[0-9.]*, and Lambda.s provided.al2023 has 2.34' ||
    fail "unexpected: $packed"
fi

pack -DPROGRAM="$work/nothing" && fail "packed what is not there"
echo "$packed" | grep -q 'there is no such file' || fail "unexpected: $packed"

echo 'int f() { return 0; }' >"$work/f.cpp"
echo 'int f(); int main() { return f(); }' >"$work/main.cpp"
"$compiler" -shared -fPIC "$work/f.cpp" -o "$work/libgone.so"
"$compiler" "$work/main.cpp" -o "$work/main" -L"$work" -lgone
rm "$work/libgone.so"
pack -DPROGRAM="$work/main" -DBUNDLE_GLIBC=TRUE && fail "packed without a library"
echo "$packed" | tr -s ' \n' ' ' | grep -q 'a shared library is not here: libgone.so' || fail "unexpected: $packed"
[ ! -e "$work/out.zip.contents" ] || fail "a refused package left files behind"
