#!/bin/sh
# Runs the native kernels under the compiler's sanitizers: every cell over odd shapes, on one thread
# and on several (see src/statewise/recurrence/native/src/check.cpp). Needs CMake and GCC or Clang;
# takes a few minutes.
#
#   scripts/sanitize.sh                    both rounds
#   scripts/sanitize.sh thread             one of them: thread, or address,undefined
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || set -- address,undefined thread

# A fault ends the run and fails it.
export UBSAN_OPTIONS="halt_on_error=1 print_stacktrace=1"
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1"

for sanitizers in "$@"; do
    build="$root/build/sanitize-$(echo "$sanitizers" | tr ',' '-')"
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTATEWISE_CHECK=ON \
        -DSTATEWISE_SANITIZE="$sanitizers" >/dev/null
    cmake --build "$build" --parallel 2 >/dev/null
    echo "== $sanitizers"
    "$build/statewise_check"
done
echo "no faults found"
