//! WS-Discovery: a probe is sent to all, and answers are gathered for a while.

use crate::discover::answers::Match;
use crate::discover::camera::{Camera, from_scopes};
use crate::discover::device_url::DeviceUrl;
use crate::discover::envelope;
use crate::discover::own_addresses::OwnAddress;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Where cameras listen.
pub(crate) const GROUP: &str = "239.255.255.250:3702";

/// When the probe is sent: datagrams get lost, and a busy camera misses one.
const SENT_AT: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1500)];

/// The longest answer in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// The most answers that are kept, and those of one sender. A stranger can send any number of them.
const MAX_ANSWERS: usize = 512;
const MAX_ANSWERS_OF_SENDER: usize = 8;

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Each different answer once, with its sender.
    pub(crate) answers: Vec<(IpAddr, Vec<u8>)>,
    /// What went wrong, by interface.
    pub(crate) troubles: Vec<String>,
    /// Answers that were dropped because there were too many.
    pub(crate) dropped: usize,
}

impl Heard {
    fn keep(&mut self, sender: IpAddr, answer: Vec<u8>) {
        let of_sender = self.answers.iter().filter(|(from, _)| *from == sender);
        if of_sender.clone().any(|(_, known)| *known == answer) {
            return;
        }
        if of_sender.count() >= MAX_ANSWERS_OF_SENDER || self.answers.len() >= MAX_ANSWERS {
            self.dropped += 1;
            return;
        }
        self.answers.push((sender, answer));
    }
}

/// Sends a probe from each of the addresses, thrice, and gathers the answers. `id` makes it a UUID.
pub(crate) async fn probe(own: &[OwnAddress], to: SocketAddr, wait: Duration, id: [u8; 16]) -> Heard {
    let (answers, mut inbox) = mpsc::channel(64);
    let document = envelope::probe(&uuid(id));
    let deadline = Instant::now() + wait;
    let mut heard = Heard::default();
    let mut listeners = JoinSet::new();
    for OwnAddress { interface, address } in own {
        let (from, document, answers) = (SocketAddr::new((*address).into(), 0), document.clone(), answers.clone());
        let interface = format!("{interface} ({address})");
        listeners.spawn(async move {
            let result = send_and_listen(from, to, &document, answers, deadline).await;
            result.err().map(|error| format!("{interface}: no probe can be sent: {error}"))
        });
    }
    drop(answers);
    // Ends when the last listener has.
    while let Some((sender, answer)) = inbox.recv().await {
        heard.keep(sender, answer);
    }
    while let Some(ended) = listeners.join_next().await {
        heard.troubles.extend(ended.ok().flatten());
    }
    heard
}

/// The system sends a multicast by the interface that has the address to which the socket is bound.
async fn send_and_listen(
    from: SocketAddr,
    to: SocketAddr,
    document: &str,
    answers: mpsc::Sender<(IpAddr, Vec<u8>)>,
    deadline: Instant,
) -> io::Result<()> {
    let socket = UdpSocket::bind(from).await?;
    let started = Instant::now();
    let send = async {
        for after in SENT_AT {
            sleep_until(started + after).await;
            socket.send_to(document.as_bytes(), to).await?;
        }
        io::Result::Ok(())
    };
    let both = async { tokio::try_join!(send, listen(&socket, answers)).map(drop) };
    timeout_at(deadline, both).await.unwrap_or(Ok(()))
}

/// Returns with an error only.
async fn listen(socket: &UdpSocket, answers: mpsc::Sender<(IpAddr, Vec<u8>)>) -> io::Result<()> {
    let mut buffer = vec![0; MAX_ANSWER_BYTES];
    loop {
        let (length, sender) = socket.recv_from(&mut buffer).await?;
        answers.send((sender.ip(), buffer[..length].to_vec())).await.map_err(io::Error::other)?;
    }
}

/// The form of a UUID of version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The cameras among the devices that answered, each once, with what they tell of themselves.
pub(crate) fn cameras(matches: impl IntoIterator<Item = (IpAddr, Match)>) -> BTreeMap<DeviceUrl, Camera> {
    let mut found = BTreeMap::new();
    for (sender, Match { types, scopes, addresses }) in matches {
        let is_camera = types.iter().any(|name| name == "NetworkVideoTransmitter")
            || scopes.iter().any(|scope| scope.to_ascii_lowercase().starts_with("onvif://www.onvif.org/"));
        let Some(url) = DeviceUrl::of_answer(&addresses, sender).filter(|_| is_camera) else { continue };
        let hardware = from_scopes(&scopes, "hardware").unwrap_or_default();
        let camera = Camera {
            name: from_scopes(&scopes, "name").unwrap_or_else(|| hardware.clone()),
            model: hardware,
            address: url.host.clone(),
            onvif_url: url.to_string(),
            ..Camera::default()
        };
        found.entry(url).or_insert(camera);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_answers_is_bounded_and_counted() {
        let mut heard = Heard::default();
        let sender = |last: u8| IpAddr::from([10, 0, 0, last]);
        for number in 0..100_u8 {
            heard.keep(sender(1), vec![number]);
            heard.keep(sender(1), vec![number]);
        }
        heard.keep(sender(2), vec![0]);
        assert_eq!(
            (heard.answers.len(), heard.dropped),
            (MAX_ANSWERS_OF_SENDER + 1, 2 * (100 - MAX_ANSWERS_OF_SENDER))
        );
    }

    #[test]
    fn cameras_are_told_from_printers_and_counted_once() {
        let device = |types: &str, scope: &str, url: &str| Match {
            types: vec![types.into()],
            scopes: vec![scope.into()],
            addresses: vec![url.into()],
        };
        let sender = IpAddr::from([10, 0, 0, 5]);
        let camera = device(
            "NetworkVideoTransmitter",
            "onvif://www.onvif.org/name/Yard",
            "http://10.0.0.5/onvif/device_service",
        );
        let found = cameras([
            (sender, camera.clone()),
            (sender, camera),
            (sender, device("PrintDeviceType", "x", "http://10.0.0.5:5357/p")),
            (IpAddr::from([10, 0, 0, 6]), device("Device", "onvif://www.onvif.org/hardware/X1", "http://10.0.0.6/d")),
        ]);
        let names: Vec<(&str, &str)> =
            found.values().map(|found| (found.name.as_str(), found.address.as_str())).collect();
        assert_eq!(names, [("Yard", "10.0.0.5"), ("X1", "10.0.0.6")]);
    }

    #[test]
    fn an_id_has_the_form_of_a_uuid() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
