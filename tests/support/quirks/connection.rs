//! One conversation with a client.

use super::answers::{self, Answer};
use super::hostile;
use super::login::{Login, Verdict};
use super::quirk::Quirk::{self, *};
use super::request::{Message, Reader, Request};
use super::rows;
use super::sdp;
use super::server::Shared;
use super::stream::{Sink, Stream};
use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// Where both the conversation and the streams write.
pub type Out = Arc<Mutex<TcpStream>>;

/// The same for those who only end it.
pub type WeakOut = Weak<Mutex<TcpStream>>;

pub struct Connection {
    reader: Reader,
    out: Out,
    number: u32,
    shared: Arc<Shared>,
    quirk: Quirk,
    login: Login,
    tracks: Vec<(u8, Sink)>,
    is_playing: bool,
    asked_at: Instant,
    /// Cleared when the conversation ends: streams end with it.
    is_open: Arc<AtomicBool>,
}

impl Connection {
    pub fn new(stream: TcpStream, number: u32, shared: Arc<Shared>) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let out = Arc::new(Mutex::new(stream.try_clone().unwrap()));
        Self {
            reader: Reader::new(stream),
            out,
            number,
            shared,
            quirk: PlainH264,
            login: Login::new(PlainH264, number),
            tracks: Vec::new(),
            is_playing: false,
            asked_at: Instant::now(),
            is_open: Arc::new(AtomicBool::new(true)),
        }
    }

    pub fn out(&self) -> WeakOut {
        Arc::downgrade(&self.out)
    }

    /// Serves the client until one of the two ends it.
    pub fn serve(mut self) {
        let mut is_first = true;
        while self.is_open.load(Ordering::Relaxed) {
            let limit = self.quirk.session_seconds().filter(|_| self.is_playing);
            if limit.is_some_and(|seconds| self.asked_at.elapsed() > Duration::from_secs(seconds + 1)) {
                break;
            }
            let request = match self.reader.next() {
                Ok(Some(Message::Request(request))) => request,
                Ok(Some(Message::Answer(_))) => {
                    self.shared.note(self.quirk, |seen| seen.answers += 1);
                    continue;
                }
                Ok(None) => continue,
                Err(_) => break,
            };
            if is_first {
                is_first = false;
                self.begin(&request);
            }
            self.asked_at = Instant::now();
            if !self.obey(&request) {
                break;
            }
        }
        self.is_open.store(false, Ordering::Relaxed);
        drop(self.out.lock().unwrap().shutdown(std::net::Shutdown::Both));
    }

    fn begin(&mut self, request: &Request) {
        let path = request.host_and_path().1;
        self.quirk = rows::quirk_of(path).unwrap_or(NotFound);
        self.login = Login::new(self.quirk, self.number);
        self.shared.note(self.quirk, |seen| {
            seen.connections += 1;
            seen.first_request.get_or_insert_with(Instant::now);
        });
    }

    /// Answers a request. False: the connection ends.
    fn obey(&mut self, request: &Request) -> bool {
        if let Some(goes_on) = hostile::obey(self.quirk, request, &self.out) {
            return goes_on;
        }
        if self.quirk == LateAnswers {
            std::thread::sleep(Duration::from_millis(700));
        }
        if self.is_playing && !matches!(request.method.as_str(), "SETUP" | "PLAY" | "TEARDOWN" | "PAUSE") {
            self.shared.note(self.quirk, |seen| seen.keep_alives += 1);
        }
        let method = request.method.as_str();
        if self.quirk.is_login() && (method != "OPTIONS" || self.is_playing) {
            match self.judge(request) {
                Verdict::Welcome => {}
                Verdict::Refused(challenges) => return self.answer(request, &Answer::new(401, challenges)),
                Verdict::Forbidden => return self.answer(request, &Answer::status(403)),
            }
        }
        let answer = match method {
            "OPTIONS" => answers::options(self.quirk),
            "DESCRIBE" => self.describe(request),
            "SETUP" => self.set_up(request),
            "PLAY" => answers::play(self.quirk, request),
            "GET_PARAMETER" | "SET_PARAMETER" => answers::parameter(self.quirk),
            "PAUSE" => Answer::status(200),
            "TEARDOWN" => {
                self.answer(request, &Answer::status(200));
                return false;
            }
            _ => Answer::status(405),
        };
        let plays = method == "PLAY" && answer.status == 200 && !self.is_playing;
        let goes_on = self.answer(request, &answer);
        if plays {
            self.is_playing = true;
            self.start_streams();
        }
        goes_on && self.quirk != ClosesAfterOptions
    }

    fn judge(&mut self, request: &Request) -> Verdict {
        let authorization = request.header("authorization");
        let is_booting = self.quirk == Booting
            && self.shared.note(Booting, |_| {}).first_request.is_some_and(|at| at.elapsed() < Duration::from_secs(4));
        let verdict = if is_booting {
            Verdict::Refused("WWW-Authenticate: Digest realm=\"IP Cam\", nonce=\"00\"\r\n".into())
        } else {
            self.login.judge(&request.method, authorization)
        };
        if let Verdict::Refused(challenges) = &verdict
            && authorization.is_some()
            && !challenges.contains("stale=true")
        {
            self.shared.note(self.quirk, |seen| seen.refused_logins += 1);
        }
        verdict
    }

    fn describe(&self, request: &Request) -> Answer {
        let host = request.host_and_path().0;
        let clip = if self.quirk == PlainH265 { &self.shared.footage.h265 } else { &self.shared.footage.plain };
        let clip = match self.quirk {
            IntraRefresh => &self.shared.footage.refresh,
            LongGroup => &self.shared.footage.long_group,
            _ => clip,
        };
        answers::describe(self.quirk, host, sdp::sdp(self.quirk, clip, host))
    }

    fn set_up(&mut self, request: &Request) -> Answer {
        let transport = request.header("transport").unwrap_or_default();
        let wants_tcp = transport.contains("TCP");
        let is_dead =
            self.quirk == MetadataDead && (request.uri.ends_with("metadata") || request.uri.ends_with("audio"));
        if is_dead {
            return Answer::status(404);
        }
        if wants_tcp == self.quirk.is_udp() && self.quirk != UdpSilent {
            return Answer::status(461);
        }
        let track = if request.uri.contains("trackID=2") { 2 } else { u8::from(!is_other_track(&request.uri)) };
        if wants_tcp {
            let asked = number_after(transport, "interleaved=").unwrap_or(0);
            let channel = u8::try_from(asked).unwrap() + if self.quirk == OtherChannels { 20 } else { 0 };
            let sink = Sink::Tcp {
                out: Arc::clone(&self.out),
                rtp: channel,
                rtcp: answers::rtcp_channel(self.quirk, channel),
            };
            self.tracks.push((track, sink));
            return answers::set_up_tcp(self.quirk, channel);
        }
        let client = number_after(transport, "client_port=").unwrap_or(0);
        let [rtp, rtcp] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
        let ports = [&rtp, &rtcp].map(|socket| socket.local_addr().unwrap().port());
        rtp.connect(("127.0.0.1", client)).unwrap();
        rtcp.connect(("127.0.0.1", client + 1)).unwrap();
        self.tracks.push((track, Sink::Udp { rtp, rtcp }));
        answers::set_up_udp(self.quirk, client, ports)
    }

    fn start_streams(&mut self) {
        for (track, sink) in self.tracks.drain(..) {
            if self.quirk == UdpSilent && matches!(sink, Sink::Udp { .. }) {
                continue;
            }
            let stream = Stream {
                quirk: self.quirk,
                track,
                sink,
                out: Arc::clone(&self.out),
                shared: Arc::clone(&self.shared),
                is_open: Arc::clone(&self.is_open),
            };
            std::thread::spawn(move || stream.run());
        }
    }

    fn answer(&self, request: &Request, answer: &Answer) -> bool {
        let bytes = answer.bytes(self.quirk, request.header("cseq").unwrap_or("0"));
        self.out.lock().unwrap().write_all(&bytes).is_ok()
    }
}

fn is_other_track(uri: &str) -> bool {
    ["metadata", "audio", "back"].iter().any(|track| uri.ends_with(track))
}

fn number_after(text: &str, name: &str) -> Option<u16> {
    let digits = text.split_once(name)?.1;
    digits.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok()
}
