//! How long a run is: short in `make test`, whole in `make camera-dynamics`.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How long a camera is dead, frozen or cut off.
    pub outage: Duration,
    /// How long a connection lives that is reset again and again. Ten seconds of stream begin the backoff anew.
    pub between_resets: Duration,
    pub resets: u32,
    /// How long a camera refuses a wrong password.
    pub refusals: Duration,
    /// How often a camera ends its stream.
    pub reconnects: u64,
    pub is_whole: bool,
}

impl Extent {
    /// By `OCELLI_DYNAMICS=whole`; `OCELLI_LOGIN_SECONDS` and `OCELLI_RECONNECTS` set their parts.
    pub fn of_run() -> Self {
        let seconds = Duration::from_secs;
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let is_whole = std::env::var("OCELLI_DYNAMICS").is_ok_and(|extent| extent == "whole");
        let plain = if is_whole {
            Self {
                outage: seconds(60),
                between_resets: seconds(30),
                resets: 4,
                refusals: seconds(3_600),
                reconnects: 10_000,
                is_whole,
            }
        } else {
            Self {
                outage: seconds(14),
                between_resets: seconds(11),
                resets: 2,
                refusals: seconds(30),
                reconnects: 120,
                is_whole,
            }
        };
        Self {
            refusals: number("OCELLI_LOGIN_SECONDS").map_or(plain.refusals, seconds),
            reconnects: number("OCELLI_RECONNECTS").unwrap_or(plain.reconnects),
            ..plain
        }
    }
}
