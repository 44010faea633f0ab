// SPDX-License-Identifier: MIT
//! What hardware-enclave's memory part costs, in the form of tests/bench: a line `NAME NANOSECONDS` each.

#[path = "../../support.rs"]
mod support;

use std::hint::black_box;

use hardware_enclave::memory::pool::pool_acquire;
use hardware_enclave::memory::MemoryEnclave;
use support::{bench, bench_threads};

fn slot_pair(count: usize) {
    for _ in 0..count {
        drop(black_box(pool_acquire(32).unwrap()));
    }
}

fn slot_write_pair(count: usize) {
    for _ in 0..count {
        let mut slot = pool_acquire(32).unwrap();
        slot.bytes()[..32].copy_from_slice(black_box(&[7; 32]));
        drop(black_box(slot));
    }
}

fn main() {
    bench("slot_pair", &slot_pair);
    bench("slot_write_pair", &slot_write_pair);
    bench_threads("slot_pair_2t", 2, &slot_pair);
    for len in [31, 256, 1024] {
        let plaintext = vec![7; len];
        let sealed = MemoryEnclave::seal(&plaintext).unwrap();
        bench(&format!("sealed_seal_{len}"), &|count| {
            for _ in 0..count {
                drop(black_box(MemoryEnclave::seal(&plaintext).unwrap()));
            }
        });
        bench(&format!("sealed_open_{len}"), &|count| {
            for _ in 0..count {
                drop(black_box(sealed.open().unwrap()));
            }
        });
    }
}
