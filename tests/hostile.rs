//! Cameras, brokers, models and HTTP clients that mean harm: each costs its own process or its own connection, in bounds, and
//! no frame of a camera that behaves.
//!
//! Some of them by themselves; with `OCELLI_SAFETY=whole` (`make hostile`) all, longer, and with
//! `target/reports/hostile.json`. `OCELLI_HOSTILE=NAME,NAME` runs single ones.

#![cfg(feature = "capture")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test: it fails, tells what it measured, and its parts are its own"
)]

mod support;

#[path = "hostile/brokers.rs"]
mod brokers;
#[path = "hostile/cameras.rs"]
mod cameras;
#[path = "hostile/clients.rs"]
mod clients;
#[path = "support/hostile/mod.rs"]
mod hostile;
#[path = "hostile/models.rs"]
mod models;
#[path = "hostile/neighbour.rs"]
mod neighbour;
#[path = "hostile/report.rs"]
mod report;
