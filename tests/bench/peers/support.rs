// SPDX-License-Identifier: MIT
//! What peers share: measuring in the form of tests/bench, a line `NAME NANOSECONDS` each; bytes as text.
#![allow(dead_code)] // no peer needs all of it

use std::sync::Barrier;
use std::time::Instant;

const ROUNDS: usize = 101;
const THREAD_ROUNDS: usize = 25;
const ROUND_NS: f64 = 2.5e5;

fn time_of(body: &dyn Fn(usize), count: usize) -> f64 {
    let start = Instant::now();
    body(count);
    start.elapsed().as_nanos() as f64
}

/// The fastest of three: one that was disturbed would end the search too early.
fn count_for_a_round(time_of: &dyn Fn(usize) -> f64) -> usize {
    let mut count = 1;
    while (0..3).map(|_| time_of(count)).fold(f64::INFINITY, f64::min) < ROUND_NS {
        count *= 2;
    }
    count
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn tell(name: &str, value: f64) {
    println!("{name} {value:.2}");
}

fn tell_median(name: &str, rounds: usize, round: &dyn Fn() -> f64) {
    tell(name, median((0..rounds).map(|_| round()).collect()));
}

/// `body` runs what is measured so many times.
pub fn bench(name: &str, body: &dyn Fn(usize)) {
    let count = count_for_a_round(&|count| time_of(body, count));
    tell_median(name, ROUNDS, &|| time_of(body, count) / count as f64);
}

/// The same in bursts, before each of which `prepare` runs outside the measured time.
pub fn bench_bursts(name: &str, burst: usize, prepare: &dyn Fn(), body: &dyn Fn(usize)) {
    let time_of_one = || {
        prepare();
        time_of(body, burst)
    };
    let time_of_bursts = |bursts: usize| (0..bursts).map(|_| time_of_one()).sum::<f64>();
    let bursts = count_for_a_round(&time_of_bursts);
    tell_median(name, ROUNDS, &|| time_of_bursts(bursts) / (bursts * burst) as f64);
}

/// The same in threads at once: the time in which one call of any thread ends, from the first one's begin to the last
/// one's end. Each tells its own: who waits for them may be the last to run.
pub fn bench_threads(name: &str, threads: usize, body: &(dyn Fn(usize) + Sync)) {
    let count = 32 * count_for_a_round(&|count| time_of(&|count| body(count), count));
    tell_median(name, THREAD_ROUNDS, &|| {
        let start = Barrier::new(threads);
        std::thread::scope(|scope| {
            let runners: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let began = Instant::now();
                        body(count);
                        (began, Instant::now())
                    })
                })
                .collect();
            let times: Vec<_> = runners.into_iter().map(|runner| runner.join().unwrap()).collect();
            let began = times.iter().map(|time| time.0).min().unwrap();
            let ended = times.iter().map(|time| time.1).max().unwrap();
            (ended - began).as_nanos() as f64 / (count * threads) as f64
        })
    });
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}
