//! What is asked of one camera, in order: its clock, which needs no login; then, each with a login of its own, who made it,
//! where its media are, its profiles, and the URLs of their streams and pictures.
//!
//! The first refused login ends it, because cameras lock accounts. Before anything with a login is sent, the camera has
//! answered as ONVIF. What is known by then is kept, whatever goes wrong.

use crate::discover::answers::{Answer, MediaServices, Profile, Reading};
use crate::discover::ask_error::{AskError, LoginCause, REQUEST_LIMIT};
use crate::discover::camera::{Camera, Stream};
use crate::discover::device_url::DeviceUrl;
use crate::discover::envelope::{MediaVersion, Request};
use crate::discover::http_post::post;
use crate::discover::login_header::login_header;
use crate::discover::reader_process::Reader;
use crate::discover::stream_url::{PICTURES, STREAMS, accept};
use crate::os::clock::{rfc3339_utc, wall_now_ms};
use crate::os::random;
use crate::secret::Secret;
use crate::vision::error_chain::describe;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long all requests to a camera may take together.
const CAMERA_LIMIT: Duration = Duration::from_secs(60);

/// User and password.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// The user's name.
    pub(crate) user: String,
    /// Never leaves this process but as a digest.
    pub(crate) password: Secret,
}

/// Asks a camera, and adds what it tells to `camera`. Its `error` says why something is missing.
pub(crate) async fn ask(device: &DeviceUrl, mut camera: Camera, login: Option<&Login>, reader: Reader) -> Camera {
    camera.address.clone_from(&device.host);
    camera.onvif_url = device.to_string();
    let asked = timeout(CAMERA_LIMIT, async {
        let address = resolve(device).await?;
        Conversation { device, address, login, reader, clock_offset_ms: None, camera: &mut camera }.hold().await
    });
    let error = asked.await.unwrap_or(Err(AskError::TooSlow(CAMERA_LIMIT.as_secs()))).err();
    camera.error = error.map(|error| describe(&error));
    if camera.name.is_empty() {
        camera.name.clone_from(&camera.model);
    }
    camera
}

/// Once for all requests, so that no name server sends a later one, with a login, elsewhere.
async fn resolve(device: &DeviceUrl) -> Result<IpAddr, AskError> {
    let found = timeout(REQUEST_LIMIT, lookup_host((device.host.as_str(), device.port))).await;
    let mut found = found.map_err(|_| AskError::NoSuchHost)?.map_err(|_| AskError::NoSuchHost)?;
    found.next().map(|address| address.ip()).ok_or(AskError::NoSuchHost)
}

struct Conversation<'a> {
    device: &'a DeviceUrl,
    address: IpAddr,
    login: Option<&'a Login>,
    reader: Reader,
    /// How far the camera's clock is ahead.
    clock_offset_ms: Option<i64>,
    camera: &'a mut Camera,
}

impl Conversation<'_> {
    async fn hold(&mut self) -> Result<(), AskError> {
        self.learn_clock().await?;
        // Every camera knows this one: whatever it answers instead may be its way to refuse the login, so nothing follows.
        if let Answer::Device(device) = self.request(self.device, Request::Device).await? {
            self.camera.manufacturer = device.manufacturer;
            self.camera.firmware = device.firmware;
            if !device.model.is_empty() {
                self.camera.model = device.model;
            }
        }
        let services = self.media_services().await?;
        let (version, url, profiles) = self.profiles(services).await?;
        let mut largest: Option<(u64, &Profile)> = None;
        for profile in &profiles {
            let Some(stream) = self.stream(version, &url, profile).await? else { continue };
            if largest.is_none_or(|(area, _)| area < stream.area()) {
                largest = Some((stream.area(), profile));
            }
            self.camera.streams.push(stream);
        }
        match largest {
            Some((_, profile)) => self.learn_snapshot_url(version, &url, profile).await,
            None => Ok(()),
        }
    }

    /// The login needs the camera's clock. A camera that refuses to tell it is an ONVIF camera all the same.
    async fn learn_clock(&mut self) -> Result<(), AskError> {
        match self.request(self.device, Request::Time).await {
            Ok(Answer::Time(Some(time))) => {
                let offset = time.saturating_sub(wall_now_ms());
                self.clock_offset_ms = Some(offset);
                // Without the time that the answer took, and the rest of a second that the camera does not tell.
                self.camera.clock_offset_seconds = Some((offset + 500).div_euclid(1000));
                Ok(())
            }
            Ok(_) | Err(AskError::Fault { .. } | AskError::LoginWanted) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn media_services(&mut self) -> Result<MediaServices, AskError> {
        for request in [Request::Services, Request::Capabilities] {
            match self.request(self.device, request).await {
                Ok(Answer::Services(services)) if services != MediaServices::default() => return Ok(services),
                Ok(_) => {}
                Err(error) if error.is_of_this_request() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(MediaServices::default())
    }

    /// From the second version, which knows H.265; from the first where that does not answer.
    async fn profiles(&mut self, services: MediaServices) -> Result<(MediaVersion, DeviceUrl, Vec<Profile>), AskError> {
        let MediaServices { first, second } = services;
        let mut known = vec![];
        known.extend(second.map(|url| (MediaVersion::Second, Some(url))));
        if known.is_empty() || first.is_some() {
            known.push((MediaVersion::First, first));
        }
        let mut last = AskError::NoProfiles;
        for (version, named) in known {
            let (url, is_moved) = self.device.service(named.as_deref());
            if is_moved {
                let named = named.unwrap_or_default();
                self.remark(format!("it names {named} for its media: asked at {} instead", self.device.authority()));
            }
            match self.request(&url, Request::Profiles(version)).await {
                Ok(Answer::Profiles(profiles)) if !profiles.is_empty() => return Ok((version, url, profiles)),
                Ok(_) => {}
                Err(error) if error.is_of_this_request() => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn stream(
        &mut self,
        version: MediaVersion,
        url: &DeviceUrl,
        profile: &Profile,
    ) -> Result<Option<Stream>, AskError> {
        let left_out = |reason: &str| format!("profile {}: {reason}", profile.name);
        let uri = match self.request(url, Request::Stream(version, &profile.token)).await {
            Ok(Answer::Uri(uri)) => uri,
            Ok(_) => return Ok(None),
            Err(error) if error.is_of_this_request() => {
                self.remark(left_out(&describe(&error)));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let accepted = match accept(&uri, &STREAMS, &self.device.host) {
            Ok(accepted) => accepted,
            Err(reason) => {
                self.remark(left_out(&format!("its URL {reason}")));
                return Ok(None);
            }
        };
        if let Some(named) = accepted.named_host {
            self.remark(format!("its streams name the host {named}: replaced by {}", self.device.host));
        }
        Ok(Some(Stream {
            profile: profile.name.clone(),
            codec: profile.codec.clone(),
            width: profile.width,
            height: profile.height,
            fps: profile.fps,
            url: accepted.url,
            source: profile.source.clone(),
        }))
    }

    async fn learn_snapshot_url(
        &mut self,
        version: MediaVersion,
        url: &DeviceUrl,
        profile: &Profile,
    ) -> Result<(), AskError> {
        match self.request(url, Request::Snapshot(version, &profile.token)).await {
            Ok(Answer::Uri(uri)) => {
                let accepted = accept(&uri, &PICTURES, &self.device.host);
                self.camera.snapshot_url = accepted.ok().map(|accepted| accepted.url);
                Ok(())
            }
            Ok(_) => Ok(()),
            // Many cameras have none.
            Err(error) if error.is_of_this_request() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn remark(&mut self, text: String) {
        if !self.camera.remarks.contains(&text) {
            self.camera.remarks.push(text);
        }
    }

    /// Sends a request with one login, and has the answer read.
    async fn request(&mut self, url: &DeviceUrl, request: Request<'_>) -> Result<Answer, AskError> {
        let login = match self.login.filter(|_| request != Request::Time) {
            Some(login) => Some(self.proof(login)?),
            None => None,
        };
        let answer = post(self.address, url, request, request.document(login.as_deref())).await?;
        let name = request.name();
        let (status, wants_digest) = (answer.status, answer.wants_digest);
        let reading = self.reader.read(request.question(), &answer.body).await;
        if matches!(status, 401 | 403) {
            // Any web server may say so: what has no clock to tell is sent no login.
            let words = match reading {
                Ok(Reading::Fault(fault)) if !fault.reason.is_empty() => fault.reason,
                Ok(Reading::Fault(_)) => format!("HTTP {status}"),
                _ if request == Request::Time => {
                    return Err(AskError::NotOnvif { request: name, reason: format!("HTTP {status}") });
                }
                _ => format!("HTTP {status}"),
            };
            return Err(self.refused(name, words, login.is_some(), wants_digest));
        }
        match reading.map_err(|source| AskError::Reader { request: name, source })? {
            Reading::Answer(answer) => Ok(answer),
            Reading::Fault(fault) if fault.is_about_login() => {
                Err(self.refused(name, fault.reason, login.is_some(), wants_digest))
            }
            Reading::Fault(fault) => {
                let reason = if fault.reason.is_empty() { fault.codes.join(", ") } else { fault.reason };
                Err(AskError::Fault { request: name, reason })
            }
            Reading::Unreadable(reason) => {
                let reason = if status == 200 { reason } else { format!("HTTP {status}") };
                Err(AskError::NotOnvif { request: name, reason })
            }
        }
    }

    fn proof(&self, Login { user, password }: &Login) -> Result<String, AskError> {
        let nonce = random::bytes::<16>().map_err(AskError::Random)?;
        let created = rfc3339_utc(wall_now_ms().saturating_add(self.clock_offset_ms.unwrap_or(0)));
        Ok(login_header(user, password.reveal(), &nonce, &created))
    }

    fn refused(&self, request: &'static str, words: String, had_login: bool, wants_digest: bool) -> AskError {
        let Some(Login { user, .. }) = self.login.filter(|_| had_login) else { return AskError::LoginWanted };
        let cause = match (wants_digest, self.clock_offset_ms) {
            (true, _) => LoginCause::HttpDigest,
            (false, None) => LoginCause::Clock,
            (false, Some(_)) => LoginCause::Password,
        };
        AskError::LoginRefused { user: user.clone(), request, words, cause }
    }
}
