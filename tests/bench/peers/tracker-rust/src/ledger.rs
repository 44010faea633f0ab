// SPDX-License-Identifier: MIT
//! The ledger: as many agents as it can hold, which beat in random order, 1 µs after each other.

use std::cell::RefCell;

use varta_vlp::{Frame, Status};
use varta_watch::tracker::DEFAULT_EVICTION_SCAN_WINDOW;
use varta_watch::{BeatOrigin, EvictionPolicy, Tracker, Update};

use crate::support::bench;

const THRESHOLD_NS: u64 = 5_000_000_000;

struct Crowd {
    tracker: Tracker,
    order: Vec<u32>,
    nonces: Vec<u64>,
    beats: usize,
    now_ns: u64,
}

fn shuffled(count: u32) -> Vec<u32> {
    let mut state = 88172645463325252_u64;
    let mut order: Vec<u32> = (0..count).collect();
    for at in (1..order.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(at, (state % (at as u64 + 1)) as usize);
    }
    order
}

impl Crowd {
    fn gather(agents: u32) -> Self {
        let tracker = Tracker::new(agents as usize, EvictionPolicy::Strict, DEFAULT_EVICTION_SCAN_WINDOW);
        let nonces = vec![0; agents as usize];
        let mut crowd = Crowd { tracker, order: shuffled(agents), nonces, beats: 0, now_ns: 1 };
        (0..agents).for_each(|_| crowd.record(Update::Inserted));
        crowd
    }

    fn record(&mut self, wanted: Update) {
        let at = self.order[self.beats % self.order.len()];
        let nonce = &mut self.nonces[at as usize];
        *nonce += 1;
        self.beats += 1;
        let frame = Frame::new(Status::Ok, 1000 + at, self.now_ns, *nonce, 0);
        let origin = BeatOrigin::KernelAttested;
        assert_eq!(self.tracker.record(&frame, self.now_ns, THRESHOLD_NS, origin, Some(1)), wanted);
    }

    fn drain(&mut self) {
        self.tracker.drain_stalled_slots(self.now_ns, THRESHOLD_NS, |pid, _, _, _, _| panic!("{pid} stalled"));
    }

    fn drain_idle(&mut self, count: usize) {
        for _ in 0..count {
            self.now_ns += 1;
            self.drain();
        }
    }

    fn beat(&mut self, count: usize, drains: bool) {
        for _ in 0..count {
            self.now_ns += 1000;
            self.record(Update::Refreshed);
            if drains {
                self.drain();
            }
        }
    }
}

pub fn measure() {
    for agents in [256, 4096] {
        let crowd = RefCell::new(Crowd::gather(agents));
        bench(&format!("drain_idle_{agents}"), &|count| crowd.borrow_mut().drain_idle(count));
    }
    let crowd = RefCell::new(Crowd::gather(4096));
    bench("beat_4096", &|count| crowd.borrow_mut().beat(count, true));
    bench("record_4096", &|count| crowd.borrow_mut().beat(count, false));
}
