// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"strings"
	"syscall"
	"unsafe"
)

// HardenFlags are measures of [Harden]. Each lasts as long as the process.
type HardenFlags uint32

// The measures.
const (
	HardenNoCore      HardenFlags = C.KEEP_HARDEN_NO_CORE      // no core files; a core_pattern that pipes ignores it
	HardenNoDump      HardenFlags = C.KEEP_HARDEN_NO_DUMP      // not dumpable: no core, ptrace, gdb or perf
	HardenNoNewPrivs  HardenFlags = C.KEEP_HARDEN_NO_NEW_PRIVS // also in children: no sudo, no ping there
	HardenNoNewCode   HardenFlags = C.KEEP_HARDEN_NO_NEW_CODE  // no new executable pages; inherited
	HardenRecommended HardenFlags = C.KEEP_HARDEN_RECOMMENDED
)

// HardenReport is what [Harden] asked for, what is active, and what failed, with one errno per bit number.
type HardenReport struct {
	Requested, Active, Failed HardenFlags
	Error                     [8]syscall.Errno
}

// CheckFlags name what [MemoryReport] proves about a private pool.
type CheckFlags uint32

// The checks.
const (
	CheckLocked    CheckFlags = C.KEEP_CHECK_LOCKED     // the kernel counts its pages as locked
	CheckNotDumped CheckFlags = C.KEEP_CHECK_NOT_DUMPED // they are excluded from core dumps
	CheckForkSafe  CheckFlags = C.KEEP_CHECK_FORK_SAFE  // they are wiped in, or absent from, a child
	CheckGuards    CheckFlags = C.KEEP_CHECK_GUARDS     // the bytes before and after cannot be read
	CheckHidden    CheckFlags = C.KEEP_CHECK_HIDDEN     // no other way into the process reads them; memfd_secret only
	CheckWiped     CheckFlags = C.KEEP_CHECK_WIPED      // a freed slot is zero
	CheckSealing   CheckFlags = C.KEEP_CHECK_SEALING    // round trip, one flipped bit, published answers
)

// CorePattern says where the kernel puts core dumps.
type CorePattern int64

// The core patterns: a file, or a program, which gets cores whatever the limit says.
const (
	CorePatternFile CorePattern = C.KEEP_CORE_PATTERN_FILE
	CorePatternPipe CorePattern = C.KEEP_CORE_PATTERN_PIPE
)

// Unlimited is a limit that is none.
const Unlimited int64 = C.KEEP_UNLIMITED

// MemoryFacts is what the machine and the process allow. What cannot be read is -1; what is there or not is 1 or 0.
type MemoryFacts struct {
	PageSize                 int64
	MemlockSoft, MemlockHard int64 // RLIMIT_MEMLOCK in bytes
	LockedBytes              int64 // of the process
	CapIpcLock               int64 // 1: RLIMIT_MEMLOCK does not bind it
	MemfdSecret, WipeOnFork  int64 // the kernel has them
	Hardening                int64 // HardenFlags that are active
	CoreLimit                int64 // RLIMIT_CORE in bytes
	CorePattern              CorePattern

	Dumpable, NoNewPrivs, NoNewCode int64

	YamaScope int64   // /proc/sys/kernel/yama/ptrace_scope
	SwapBytes int64   // swap space of the machine
	Backing   Backing // of the tested pool; 0: not tested

	Checked, Passed, Failed CheckFlags // 0 without options
}

// Purge wipes every secret of the process now, and the keys of all sealed ones. It tells how many windows were open;
// those read zeros. New secrets can be made at once.
func Purge() (openWindows int, err error) {
	var open C.uint64_t
	st := C.keep_purge(&open)
	return int(open), statusError(st)
}

// Harden tries each measure and reads it back. ErrSystem: something requested failed, and the report says what.
func Harden(flags HardenFlags) (HardenReport, error) {
	c := C.struct_keep_harden_report{size: C.sizeof_struct_keep_harden_report}
	st := C.keep_harden(C.uint32_t(flags), &c)
	report := HardenReport{
		Requested: HardenFlags(c.requested),
		Active:    HardenFlags(c.active),
		Failed:    HardenFlags(c.failed),
	}
	for bit := range report.Error {
		report.Error[bit] = syscall.Errno(c.error[bit])
	}
	return report, statusError(st)
}

// MemoryReport tells what the machine and the process allow. With options it also makes a private pool and asks the
// kernel whether what was promised holds. ErrSystem: a check failed, do not trust this memory; the facts are there.
func MemoryReport(options *PoolOptions) (MemoryFacts, error) {
	pool, err := options.inC()
	if err != nil {
		return MemoryFacts{}, err
	}
	c := C.struct_keep_memory_report{size: C.sizeof_struct_keep_memory_report}
	st := C.keep_memory_report(pool, &c)
	return MemoryFacts{
		PageSize:    int64(c.page_size),
		MemlockSoft: int64(c.memlock_soft),
		MemlockHard: int64(c.memlock_hard),
		LockedBytes: int64(c.locked_bytes),
		CapIpcLock:  int64(c.cap_ipc_lock),
		MemfdSecret: int64(c.memfd_secret),
		WipeOnFork:  int64(c.wipe_on_fork),
		Hardening:   int64(c.hardening),
		CoreLimit:   int64(c.core_limit),
		CorePattern: CorePattern(c.core_pattern),
		Dumpable:    int64(c.dumpable),
		NoNewPrivs:  int64(c.no_new_privs),
		NoNewCode:   int64(c.no_new_code),
		YamaScope:   int64(c.yama_scope),
		SwapBytes:   int64(c.swap_bytes),
		Backing:     Backing(c.backing),
		Checked:     CheckFlags(c.checked),
		Passed:      CheckFlags(c.passed),
		Failed:      CheckFlags(c.failed),
	}, statusError(st)
}

// MemoryKnownAnswer appends a published known answer to dst, so that a build can be checked: name is a transform of
// keep/protect.h, such as "sealed.decode". It touches no pool and no key.
func MemoryKnownAnswer(dst []byte, name string, in []byte) ([]byte, error) {
	if strings.ContainsRune(name, 0) || overlap(spareOf(dst), in) {
		return dst, ErrInvalidArgument
	}
	word := append([]byte(name), 0)
	source, n := bytesOf(in)
	return fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_memory_known_answer((*C.char)(unsafe.Pointer(&word[0])), source, n, out, size, &needed)
		return int(needed), Status(st)
	})
}
