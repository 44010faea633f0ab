#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_keep.sh KEEP: what the command prints and returns (memory R59, R60).
set -euo pipefail

keep=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

# expect TITLE STATUS COMMAND...: runs it; its output is in $dir/out and $dir/err
expect() {
    local title=$1 wanted=$2 got=0
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [[ $got == "$wanted" ]] || fail "$title" "status $got, not $wanted"
}

fail() {
    printf '%s: %s\n' "$1" "$2"
    sed 's/^/  | /' "$dir/out" "$dir/err"
    failures=$((failures + 1))
}

# has FILE PATTERN, lacks FILE PATTERN: of the newest output
has() {
    grep -qE -- "$2" "$dir/$1" || fail "has" "nothing like '$2' in $1"
}

lacks() {
    ! grep -qE -- "$2" "$dir/$1" || fail "lacks" "'$2' is in $1"
}

expect "version tells two versions" 0 "$keep" version
has out '^keep [0-9]+\.[0-9]+\.[0-9]+$'
has out '^libkeep [0-9]+\.[0-9]+\.[0-9]+$'
expect "--version is version" 0 "$keep" --version
has out '^libkeep '

for spelling in help --help -h; do
    expect "$spelling lists the commands" 0 "$keep" "$spelling"
    for command in doctor version help; do
        has out "^  $command "
    done
    lacks err .
done

expect "no command is a mistake" 2 "$keep"
has err 'no command'
lacks out .
expect "an unknown command is a mistake" 2 "$keep" nonsense
has err 'no such command: nonsense'
for command in doctor version help; do
    expect "$command refuses what it does not know" 2 "$keep" "$command" nonsense
    has err 'unexpected argument: nonsense'
    lacks out .
done
expect "doctor --facts takes nothing more" 2 "$keep" doctor --facts more
has err 'unexpected argument: more'

expect "doctor --facts tests nothing" 0 "$keep" doctor --facts
has out "^  page size +$(($(getconf PAGESIZE) / 1024)) KiB$"
has out '^What protects secrets here$'
has out '^To lock more memory$'
lacks out 'Self-test|passed|FAILED'

expect "doctor passes its self-test" 0 "$keep" doctor
has out '^Self-test, in (memory of memfd_secret|locked memory)$'
[[ $(grep -c '^  passed ' "$dir/out") -ge 6 ]] || fail "doctor" "fewer than six checks"
lacks out FAILED

# The limits of the shell are those that it tells; only a user without privileges is bound by them.
as_user=()
if [[ $(id -u) == 0 ]]; then
    as_user=(setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)
fi
limited() {
    (ulimit -l "$1" && shift && exec "${as_user[@]}" "$@")
}

if limited 64 "$keep" version >"$dir/out" 2>&1; then
    expect "doctor works under 64 KiB" 0 limited 64 "$keep" doctor
    has out '^  may lock \(RLIMIT_MEMLOCK\) +64 KiB$'
    has out '^  exempt from it \(CAP_IPC_LOCK\) +no$'
    has out 'LimitMEMLOCK'
    expect "doctor tells that nothing may be locked" 1 limited 0 "$keep" doctor
    has out 'not possible: the kernel refused to lock more memory \(LOCK_LIMIT\)'
    has out '^  may lock \(RLIMIT_MEMLOCK\) +0 bytes$'
else
    echo "skipped: no ordinary user may run the command where it lies"
fi

if [[ -e /dev/full ]]; then
    expect "an answer that cannot be written is a failure" 1 bash -c "'$keep' help >/dev/full"
    has err 'standard output'
fi

exit $((failures > 0))
