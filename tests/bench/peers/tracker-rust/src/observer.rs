// SPDX-License-Identifier: MIT
//! An observer beside processes that beat as fast as it takes it, where the scheduler puts everybody and with a processor
//! for the observer alone. Nothing is limited. Told is the time from one beat to the next.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use varta_watch::tracker::DEFAULT_EVICTION_SCAN_WINDOW;
use varta_watch::{ClockSource, Event, EvictionPolicy, Observer, PreThreadAttestation};

use crate::support::tell;

const AGENTS: usize = 4096;
const BEATS: usize = 10000; // between looks at the clock
const HOUR: Duration = Duration::from_secs(3600);
const READ_TIMEOUT: Duration = Duration::from_millis(100);

pub fn open(path: &str) -> Observer {
    let alone = PreThreadAttestation::new().unwrap();
    let (policy, window) = (EvictionPolicy::Strict, DEFAULT_EVICTION_SCAN_WINDOW);
    let clock = ClockSource::Monotonic;
    Observer::bind(path, HOUR, 0o600, READ_TIMEOUT, 0, AGENTS, policy, window, None, 0, 0, clock, &alone).unwrap()
}

/// The pid of the next beat.
fn hear(observer: &mut Observer) -> u32 {
    loop {
        assert!(observer.poll_pending().is_none());
        match observer.poll() {
            Some(Event::Beat { pid, .. }) => return pid,
            Some(event) => panic!("{event:?}"),
            None => continue,
        }
    }
}

fn hear_until_all_are_there(observer: &mut Observer, agents: usize) {
    let mut pids = HashSet::new();
    while pids.len() < agents {
        pids.insert(hear(observer));
    }
}

fn measure_rate(senders: &str, seconds: f64, busy: usize, idle: usize, place: Option<&str>) {
    let path = std::env::temp_dir().join(format!("varta-observer-{}", std::process::id()));
    let path = path.to_str().unwrap();
    let mut observer = open(path);
    let counts = [busy.to_string(), idle.to_string()];
    let mut command = Command::new(senders);
    let mut senders = command.arg(path).args(counts).args(place).stdin(Stdio::piped()).spawn().unwrap();
    hear_until_all_are_there(&mut observer, busy + idle);
    let (begin, mut heard) = (Instant::now(), 0);
    while begin.elapsed().as_secs_f64() < seconds {
        (0..BEATS).for_each(|_| {
            hear(&mut observer);
        });
        heard += BEATS;
    }
    let nanoseconds = begin.elapsed().as_nanos() as f64;
    let place = place.map_or(String::new(), |place| format!("_{place}"));
    tell(&format!("observer_rate_{busy}{place}"), nanoseconds / heard as f64);
    drop(senders.stdin.take());
    senders.wait().unwrap();
}

pub fn measure(senders: &str, seconds: f64) {
    for place in [None, Some("apart")] {
        measure_rate(senders, seconds, 8, 8, place);
        measure_rate(senders, seconds, 64, AGENTS - 64, place);
    }
}
