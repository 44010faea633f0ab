/* SPDX-License-Identifier: MIT */
/*
 * The module libkeep.native: one function per C function, one class per handle, one constant per constant, made from
 * core's own headers. The typemaps say how values cross; a subsystem's file adds its handles and structs.
 *
 *   handle.i   boxes that own handles             buffer.i   bytes in and out
 *   status.i   statuses, errors, small outputs    struct.i   options and reports
 *   record.i   structs that are objects
 *   gil.i      generated: which calls run without the interpreter's lock, ask for room, tell what failed
 */
%module(package="libkeep") native

%begin %{
#define SWIG_NO_HEAPTYPES /* newer SWIGs would give each object a dict, and not count references to its class */
%}

%{
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <keep/keep.h>
%}

%include <stdint.i>
%include "status.i"
%include "handle.i"
%include "buffer.i"
%include "struct.i"
%include "record.i"
%include "gil.i"

/* Statuses are exceptions; structs are dicts; each language wipes its own bytes. */
%rename("$ignore", regexmatch$name="^KEEP_(OK$|ERR_)") "";
%ignore keep_bytes;
%ignore keep_error;
%ignore keep_wipe;

%include <keep/attributes.h>
%include <keep/version.h>
%include <keep/status.h>
%include <keep/error.h>
%include <keep/bytes.h>

%include "memory.i"
%include "packet.i"
%include "tracker.i"
%include "observer.i"
%include "beacon.i"
