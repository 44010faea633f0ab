# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Sourced by the tests of the command, which get its path: runs it, and looks at what it says and returns.
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
