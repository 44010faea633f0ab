#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_keep.sh KEEP: what the command prints and returns (memory R59, R60).
set -euo pipefail

keep=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

fail() {
    echo "$1"
    sed 's/^/  | /' "$dir/out" "$dir/err"
    failures=$((failures + 1))
}

# expect STATUS COMMAND...: runs it; what it says is in $dir/out and $dir/err
expect() {
    local wanted=$1 got=0
    shift
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [[ $got == "$wanted" ]] || fail "$*: status $got, not $wanted"
}

# has FILE PATTERN, lacks FILE PATTERN
has() { grep -qE -- "$2" "$dir/$1" || fail "no '$2' in $1"; }
lacks() { ! grep -qE -- "$2" "$dir/$1" || fail "'$2' in $1"; }

# The command as a user whom the lock limit of KIB binds; root gives everything up.
limited() {
    local kib=$1 as_user=()
    shift
    [[ $(id -u) != 0 ]] || as_user=(setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)
    (ulimit -l "$kib" && exec "${as_user[@]}" "$keep" "$@")
}

for spelling in version --version; do
    expect 0 "$keep" "$spelling"
    has out '^keep [0-9]+\.[0-9]+\.[0-9]+$'
    has out '^libkeep [0-9]+\.[0-9]+\.[0-9]+$'
done
for spelling in help --help -h; do
    expect 0 "$keep" "$spelling"
    for command in doctor version help; do has out "^  $command "; done
done

expect 2 "$keep" doctor --facts more
has err 'unexpected argument: more'
expect 2 "$keep"
has err 'no command'
expect 2 "$keep" nonsense
has err 'no such command: nonsense'
for command in doctor version help; do
    expect 2 "$keep" "$command" nonsense
    has err 'unexpected argument: nonsense'
    lacks out .
done

expect 0 "$keep" doctor --facts
has out "^  page size +$(($(getconf PAGESIZE) / 1024)) KiB$"
has out '^What protects secrets here$'
has out '^  sodium +usable, [0-9.]+'
has out ': payloads of 0 to [0-9]+ bytes$'
lacks out 'Self-test|passed|FAILED'
queue=$(cat /proc/sys/net/unix/max_dgram_qlen) && has out "^  datagrams that a socket queues +$queue$"
if ((queue < 256)); then has out "  - .*net\.unix\.max_dgram_qlen"; else lacks out max_dgram_qlen; fi
expect 0 "$keep" doctor
has out '^Self-test, in (memory of memfd_secret|locked memory)$'
[[ $(grep -c '^  passed ' "$dir/out") -ge 6 ]] || fail "fewer than six checks"
lacks out FAILED
if limited 64 version &>"$dir/out"; then
    expect 0 limited 64 doctor
    has out '^  may lock \(RLIMIT_MEMLOCK\) +64 KiB$' && has out 'LimitMEMLOCK'
    expect 1 limited 0 doctor
    has out 'not possible: the kernel refused to lock more memory \(LOCK_LIMIT\)'
fi
expect 1 bash -c "exec '$keep' help >/dev/full"
has err 'standard output'
exit $((failures > 0))
