#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_keep.sh KEEP: what the command prints and returns (memory R59, R60).
set -euo pipefail

. "$(dirname "$0")/expect.sh"

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
