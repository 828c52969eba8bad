//! The table: for each quirk, how the appliance is set, and what it must report.

mod conversation;
mod refusals;
mod stream;

use super::quirk::Quirk;

/// What the appliance must report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// It streams over one connection, and at least this share of the pictures that were sent is decoded.
    Streams(f64),
    /// The camera is lost for a reason of this kind, told in words that contain these.
    Lost(&'static str, &'static str),
}

/// Which login the settings hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credentials {
    None,
    Right,
    Wrong,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub quirk: Quirk,
    pub expected: Expected,
    pub credentials: Credentials,
    /// `transport` of the settings.
    pub transport: &'static str,
    /// How long the stream is watched once the first picture is there.
    pub seconds: u64,
    /// Pictures of this width come, and of no other.
    pub width: Option<u32>,
    /// The most answers with a wrong login.
    pub refused_logins: u32,
    /// The most connections.
    pub connections: u32,
    /// The least requests that keep the session.
    pub keep_alives: u32,
    /// The least messages of the camera that something moves; `None`: the settings do not ask for them.
    pub motion_events: Option<u64>,
    /// Whether it belongs to the short form.
    pub is_short: bool,
}

/// The quirk of a path.
pub fn quirk_of(path: &str) -> Option<Quirk> {
    let first = path.split(['/', '?']).next().unwrap_or_default();
    rows().into_iter().map(|row| row.quirk).find(|quirk| quirk.path() == first)
}

impl Row {
    fn new(quirk: Quirk, name: &'static str) -> Self {
        Self {
            name,
            quirk,
            expected: Expected::Streams(0.8),
            credentials: if quirk.is_login() { Credentials::Right } else { Credentials::None },
            transport: if quirk.is_udp() { "auto" } else { "tcp" },
            seconds: 8,
            width: None,
            refused_logins: 0,
            connections: 1,
            keep_alives: 0,
            motion_events: None,
            is_short: false,
        }
    }

    fn share(self, share: f64) -> Self {
        Self { expected: Expected::Streams(share), ..self }
    }

    fn lost(self, kind: &'static str, words: &'static str) -> Self {
        Self { expected: Expected::Lost(kind, words), ..self }
    }

    fn wrong_login(self) -> Self {
        Self { credentials: Credentials::Wrong, refused_logins: 1, ..self }
    }

    fn no_login(self) -> Self {
        Self { credentials: Credentials::None, ..self }
    }

    fn tcp(self) -> Self {
        Self { transport: "tcp", ..self }
    }

    fn udp(self) -> Self {
        Self { transport: "udp", ..self }
    }

    fn auto(self) -> Self {
        Self { transport: "auto", ..self }
    }

    fn seconds(self, seconds: u64) -> Self {
        Self { seconds, ..self }
    }

    fn width(self, width: u32) -> Self {
        Self { width: Some(width), ..self }
    }

    fn kept(self) -> Self {
        Self { seconds: 20, keep_alives: 3, ..self }
    }

    fn motion_events(self, least: u64) -> Self {
        Self { motion_events: Some(least), ..self }
    }

    fn short(self) -> Self {
        Self { is_short: true, ..self }
    }
}

/// Further rows of quirks that have one already: the same camera, other settings.
pub fn other_settings() -> Vec<Row> {
    conversation::other_settings()
}

/// All rows.
pub fn rows() -> Vec<Row> {
    [
        stream::by_the_book(),
        conversation::logins(),
        conversation::descriptions(),
        conversation::headers(),
        stream::packets(),
        stream::tracks(),
        stream::transports(),
        stream::pictures(),
        refusals::refusals(),
        refusals::strangers(),
    ]
    .concat()
}
