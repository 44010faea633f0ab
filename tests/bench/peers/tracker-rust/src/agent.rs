// SPDX-License-Identifier: MIT
//! An agent's beat beside the bare send of as many bytes to the same socket.

use std::cell::RefCell;
use std::os::unix::net::UnixDatagram;

use varta_client::{BeatOutcome, Status, Varta};

use crate::support::{bench, bench_bursts};

const BURST: usize = 8; // below the least queue that kernels give by themselves
const FRAME: [u8; 32] = [0; 32];

fn empty_queue(ear: &UnixDatagram) {
    while ear.recv(&mut [0; 32]).is_ok() {}
}

pub fn measure() {
    let path = std::env::temp_dir().join(format!("varta-ear-{}", std::process::id()));
    let ear = UnixDatagram::bind(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    let agent = RefCell::new(Varta::connect(&path).unwrap());
    ear.set_nonblocking(true).unwrap();
    sender.connect(&path).unwrap();
    sender.set_nonblocking(true).unwrap();
    agent.borrow_mut().set_reconnect_after(0);

    bench_bursts("beacon_beat_sent", BURST, &|| empty_queue(&ear), &|count| {
        for _ in 0..count {
            assert!(matches!(agent.borrow_mut().beat(Status::Ok, 0), BeatOutcome::Sent));
        }
    });
    bench_bursts("floor.send", BURST, &|| empty_queue(&ear), &|count| {
        for _ in 0..count {
            assert_eq!(sender.send(&FRAME).unwrap(), FRAME.len());
        }
    });
    while sender.send(&FRAME).is_ok() {}
    bench("beacon_beat_dropped", &|count| {
        for _ in 0..count {
            assert!(matches!(agent.borrow_mut().beat(Status::Ok, 0), BeatOutcome::Dropped(_)));
        }
    });
    bench("floor.send_full", &|count| {
        for _ in 0..count {
            assert!(sender.send(&FRAME).is_err());
        }
    });
    std::fs::remove_file(&path).unwrap();
}
