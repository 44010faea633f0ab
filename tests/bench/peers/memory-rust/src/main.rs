// SPDX-License-Identifier: MIT
//! What hardware-enclave's memory part costs, in the form of tests/bench: a line `NAME NANOSECONDS` each.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use hardware_enclave::memory::MemoryEnclave;
use hardware_enclave::memory::pool::pool_acquire;

const ROUNDS: usize = 7;
const ROUND_NS: f64 = 8e6;

fn time_of(body: &dyn Fn(usize), count: usize) -> f64 {
    let start = Instant::now();
    body(count);
    start.elapsed().as_nanos() as f64
}

fn count_for_a_round(body: &dyn Fn(usize)) -> usize {
    let mut count = 1;
    while time_of(body, count) < ROUND_NS {
        count *= 2;
    }
    count
}

fn tell_median(name: &str, mut rounds: Vec<f64>) {
    rounds.sort_by(f64::total_cmp);
    println!("{name} {:.2}", rounds[rounds.len() / 2]);
}

fn bench(name: &str, body: &dyn Fn(usize)) {
    let count = count_for_a_round(body);
    tell_median(name, (0..ROUNDS).map(|_| time_of(body, count) / count as f64).collect());
}

fn bench_threads(name: &str, threads: usize, body: &(dyn Fn(usize) + Sync)) {
    let count = 4 * count_for_a_round(&|count| body(count));
    let round = || {
        let start = Barrier::new(threads + 1);
        std::thread::scope(|scope| {
            let runners: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| { start.wait(); body(count) }))
                .collect();
            start.wait();
            let began = Instant::now();
            runners.into_iter().for_each(|runner| runner.join().unwrap());
            began.elapsed().as_nanos() as f64 / (count * threads) as f64
        })
    };
    tell_median(name, (0..ROUNDS).map(|_| round()).collect());
}

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
