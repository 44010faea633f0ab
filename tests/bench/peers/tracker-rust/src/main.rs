// SPDX-License-Identifier: MIT
//! What varta's observer and agent cost: `measure SENDERS [SECONDS]`; or what they say to others and hear from them:
//! `speak WAY TO [KEY]`, `hear WAY AT [KEY]`.

#[path = "../../support.rs"]
mod support;

mod agent;
mod ledger;
mod observer;
mod talk;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["measure", senders, seconds @ ..] => {
            let seconds = seconds.first().map_or(2.0, |text| text.parse().unwrap());
            observer::measure(senders, seconds); // first: it wants a process with one thread
            ledger::measure();
            agent::measure();
        }
        ["speak", way @ ..] => talk::speak(way),
        ["hear", way @ ..] => talk::hear(way),
        _ => panic!("neither measure nor speak nor hear"),
    }
}
