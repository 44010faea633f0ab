// SPDX-License-Identifier: MIT
//! An agent that does what the lines of its input say, and an observer that writes a line for each beat.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use varta_client::{BeatTransport, Status, Varta};
use varta_vlp::crypto::Key;
use varta_watch::tracker::DEFAULT_EVICTION_SCAN_WINDOW;
use varta_watch::{ClockSource, Event, EvictionPolicy, Observer, SecureUdpListener};

use crate::observer;
use crate::support::from_hex;

fn key_of(text: &str) -> Key {
    Key::from_bytes(from_hex(text).try_into().unwrap())
}

fn address_of(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// `HEALTH PAYLOAD` beats; `restart` connects anew.
fn obey<T: BeatTransport>(connect: impl Fn() -> io::Result<Varta<T>>) {
    let mut agent = connect().unwrap();
    for line in io::stdin().lines() {
        match line.unwrap().split_once(' ') {
            Some((health, payload)) => {
                let health = Status::try_from_u8(health.parse().unwrap()).unwrap();
                println!("{:?}", agent.beat(health, payload.parse().unwrap()));
            }
            None => {
                agent = connect().unwrap();
                println!("restarted");
            }
        }
    }
}

pub fn speak(way: &[&str]) {
    match way {
        ["plain", path] => obey(|| Varta::connect(path)),
        ["shared", to, key] => obey(|| Varta::connect_secure_udp(address_of(to), key_of(key))),
        ["master", to, key] => obey(|| Varta::connect_secure_udp_with_master(address_of(to), key_of(key))),
        _ => panic!("{way:?}"),
    }
}

fn observer_of(listener: SecureUdpListener) -> Observer {
    let threshold = Duration::from_secs(3600);
    let (policy, window) = (EvictionPolicy::Strict, DEFAULT_EVICTION_SCAN_WINDOW);
    Observer::from_listener(listener, threshold, 16, policy, window, None, 0, 0, ClockSource::Monotonic).unwrap()
}

pub fn hear(way: &[&str]) {
    let mut observer = match way {
        ["plain", path] => observer::open(path),
        ["shared", at, key] => observer_of(SecureUdpListener::bind(address_of(at), vec![key_of(key)]).unwrap()),
        ["master", at, key] => {
            observer_of(SecureUdpListener::bind_with_master(address_of(at), vec![], key_of(key)).unwrap())
        }
        _ => panic!("{way:?}"),
    };
    println!("ready");
    loop {
        match observer.poll() {
            Some(Event::Beat { pid, status, payload, nonce, .. }) => {
                println!("{pid} {} {payload} {nonce}", status as u8);
            }
            Some(event) => println!("{event:?}"),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
