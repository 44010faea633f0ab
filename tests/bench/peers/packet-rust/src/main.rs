// SPDX-License-Identifier: MIT
//! The packet layer of net-mesh.

mod packets;

use std::net::{Ipv4Addr, SocketAddr};

use net::adapter::net::{NetSession, SessionKeys};

fn new_session(key: &[u8; 32], id: u64) -> NetSession {
    let keys = SessionKeys {
        tx_key: *key,
        rx_key: *key,
        session_id: id,
        remote_static_pub: [0; 32],
        route_hop_tx_key: [0; 32],
        route_hop_rx_key: [0; 32],
    };
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    NetSession::new(keys, peer.into(), 1, false)
}

fn main() {
    packets::run(new_session);
}
