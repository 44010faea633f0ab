// SPDX-License-Identifier: MIT
//! The packet layer of net-mesh 0.23.0.

#[path = "../../packet-rust/src/packets.rs"]
mod packets;

use std::net::{Ipv4Addr, SocketAddr};

use net::adapter::net::{NetSession, SessionKeys};

fn new_session(key: &[u8; 32], id: u64) -> NetSession {
    let keys = SessionKeys { tx_key: *key, rx_key: *key, session_id: id, remote_static_pub: [0; 32] };
    NetSession::new(keys, SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), 1, false)
}

fn main() {
    packets::run(new_session);
}
