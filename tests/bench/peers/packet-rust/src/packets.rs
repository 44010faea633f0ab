// SPDX-License-Identifier: MIT
//! What the packet layer of net-mesh costs, each packet with one event; or, as `seal KEY ID` and `open KEY ID`, what it
//! makes of the lines of its input: a packet each, events as hexadecimal digits with a dot after each.

#[path = "../../support.rs"]
mod support;

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use net::adapter::net::{
    EventFrame, NetHeader, NetSession, PacketBuilder, PacketFlags, PacketPool, ThreadLocalPool, HEADER_SIZE,
};
use support::{bench, bench_bursts, bench_threads, from_hex, to_hex};

const KEY: [u8; 32] = [7; 32];
const ID: u64 = 1;
const POOL: usize = 64;
const BURST: usize = 64;

/// A session that opens what is sealed with the key under the id.
pub type NewSession = fn(&[u8; 32], u64) -> NetSession;

fn new_builder() -> PacketBuilder {
    PacketBuilder::with_shared_counter(&KEY, ID, 0, Arc::new(AtomicU64::new(0)))
}

fn counter_of(header: &NetHeader) -> u64 {
    u64::from_le_bytes(header.nonce[4..].try_into().unwrap())
}

fn open(session: &NetSession, datagram: &[u8]) -> Vec<Bytes> {
    let header = NetHeader::from_bytes(datagram).unwrap();
    let counter = counter_of(&header);
    let cipher = session.rx_cipher();
    let payload = cipher.decrypt(counter, &header.aad(), &datagram[HEADER_SIZE..]).unwrap();
    assert!(cipher.try_admit_rx_counter(counter));
    EventFrame::read_events(payload.into(), header.event_count)
}

fn open_in_place(session: &NetSession, mut datagram: BytesMut) -> Vec<Bytes> {
    let header = NetHeader::from_bytes(&datagram).unwrap();
    let counter = counter_of(&header);
    let cipher = session.rx_cipher();
    let len = cipher.decrypt_in_place(counter, &header.aad(), &mut datagram[HEADER_SIZE..]).unwrap();
    assert!(cipher.try_admit_rx_counter(counter));
    EventFrame::read_events(datagram.freeze().slice(HEADER_SIZE..HEADER_SIZE + len), header.event_count)
}

fn measure_building(len: usize) {
    let events = [Bytes::from(vec![0; len])];
    let pool = ThreadLocalPool::new(POOL, &KEY, ID);
    let build = |count: usize| {
        for _ in 0..count {
            black_box(pool.get().build(1, 0, &events, PacketFlags::NONE));
        }
    };
    let kept = RefCell::new(new_builder());
    bench(&format!("build_{len}"), &build);
    bench(&format!("build_kept_{len}"), &|count| {
        for _ in 0..count {
            black_box(kept.borrow_mut().build(1, 0, &events, PacketFlags::NONE));
        }
    });
    bench_threads(&format!("2t_build_{len}"), 2, &build);
}

fn measure_opening(new_session: NewSession, len: usize) {
    let session = new_session(&KEY, ID);
    let events = [Bytes::from(vec![0; len])];
    let builder = RefCell::new(new_builder());
    let seal = || BytesMut::from(builder.borrow_mut().build(1, 0, &events, PacketFlags::NONE));
    let sealed = RefCell::new(Vec::new());
    let prepare = || drop(sealed.replace((0..BURST).map(|_| seal()).collect()));
    bench_bursts(&format!("open_{len}"), BURST, &prepare, &|_| {
        for datagram in sealed.borrow().iter() {
            black_box(open(&session, datagram));
        }
    });
    bench_bursts(&format!("open_in_place_{len}"), BURST, &prepare, &|_| {
        for datagram in sealed.take() {
            black_box(open_in_place(&session, datagram));
        }
    });
}

fn measure(new_session: NewSession) {
    let pool = PacketPool::new(POOL, &KEY, ID);
    let session = new_session(&KEY, ID);
    let next = AtomicU64::new(0);
    bench("pool_pair", &|count| {
        for _ in 0..count {
            black_box(pool.get());
        }
    });
    bench("commit", &|count| {
        for _ in 0..count {
            let counter = next.fetch_add(1, Ordering::Relaxed);
            assert!(session.rx_cipher().try_admit_rx_counter(counter));
        }
    });
    for len in [0, 16, 64, 256, 1024, 4096, 8104] {
        measure_building(len);
        measure_opening(new_session, len);
    }
}

fn seal_lines(key: &[u8; 32], id: u64) {
    let mut builder = PacketBuilder::with_shared_counter(key, id, 0, Arc::new(AtomicU64::new(0)));
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let events: Vec<Bytes> = line.split_terminator('.').map(|event| from_hex(event).into()).collect();
        println!("{}", to_hex(&builder.build(1, 0, &events, PacketFlags::NONE)));
    }
}

fn open_lines(session: &NetSession) {
    for line in std::io::stdin().lines() {
        let events = open(session, &from_hex(&line.unwrap()));
        println!("{}", events.iter().map(|event| to_hex(event) + ".").collect::<String>());
    }
}

pub fn run(new_session: NewSession) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, key, id] = arguments.as_slice() else {
        return measure(new_session);
    };
    let key = from_hex(key).try_into().unwrap();
    let id = id.parse().unwrap();
    match way.as_str() {
        "seal" => seal_lines(&key, id),
        "open" => open_lines(&new_session(&key, id)),
        _ => panic!("{way}: neither seal nor open"),
    }
}
