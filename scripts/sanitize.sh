#!/bin/sh
# Runs the native kernels under the compiler's sanitizers: every cell over odd shapes, on one thread
# and on several (see src/statewise/recurrence/native/src/check.cpp). Needs CMake and GCC or Clang;
# takes a few minutes.
#
# In the round "emulated" they are AVX-512's and the tile unit's, compiled for any processor.
#
#   scripts/sanitize.sh                    all rounds
#   scripts/sanitize.sh thread             one of them: thread, address,undefined or emulated
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || set -- address,undefined thread emulated

# A fault ends the run and fails it.
export UBSAN_OPTIONS="halt_on_error=1 print_stacktrace=1"
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1"

for round in "$@"; do
    sanitizers=$round emulate=OFF only=
    if [ "$round" = emulated ]; then
        sanitizers=address,undefined emulate=ON only="drawn 60 1"
    fi
    build="$root/build/sanitize-$(echo "$round" | tr ',' '-')"
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DSTATEWISE_CHECK=ON \
        -DSTATEWISE_SANITIZE="$sanitizers" -DSTATEWISE_EMULATE="$emulate" >/dev/null
    cmake --build "$build" --parallel 2 >/dev/null
    echo "== $round"
    # shellcheck disable=SC2086  (three words, or none)
    "$build/statewise_check" $only
done
echo "no faults found"
