//! What is asked of a camera and what it answers, as plain values: the messages between this process and the child that
//! reads XML.

use serde::{Deserialize, Serialize};

/// From this process to the child, with a descriptor of memory that holds the bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToReader {
    /// What the bytes answer.
    pub(crate) question: Question,
    /// The length of the document.
    pub(crate) bytes: u32,
}

/// What a document is the answer to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// A probe of WS-Discovery.
    Probe,
    /// `GetSystemDateAndTime`.
    Time,
    /// `GetDeviceInformation`.
    Device,
    /// `GetServices`, or `GetCapabilities` of cameras that do not know it.
    Services,
    /// `GetProfiles`.
    Profiles,
    /// `GetStreamUri` and `GetSnapshotUri`.
    Uri,
}

/// From the child: what the document says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reading {
    /// The answer.
    Answer(Answer),
    /// The camera refuses.
    Fault(Fault),
    /// The document is not an answer to this question. Holds the reason.
    Unreadable(String),
}

/// What a camera answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// To a probe.
    Probe(Vec<Match>),
    /// The camera's clock in milliseconds since 1970; `None` if it does not tell UTC.
    Time(Option<i64>),
    /// Who made it.
    Device(DeviceInformation),
    /// Where its media are.
    Services(MediaServices),
    /// What it can stream.
    Profiles(Vec<Profile>),
    /// A URL, not checked.
    Uri(String),
}

/// A device that answers a probe.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Match {
    /// Types without prefixes.
    pub(crate) types: Vec<String>,
    /// `onvif://www.onvif.org/name/Yard` and others.
    pub(crate) scopes: Vec<String>,
    /// URLs of its device service.
    pub(crate) addresses: Vec<String>,
}

/// `GetDeviceInformation`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeviceInformation {
    /// Empty if it does not tell.
    pub(crate) manufacturer: String,
    /// Empty if it does not tell.
    pub(crate) model: String,
    /// Empty if it does not tell.
    pub(crate) firmware: String,
}

/// URLs of the services that know profiles, not checked.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct MediaServices {
    /// The first version, which knows no H.265.
    pub(crate) first: Option<String>,
    /// The second.
    pub(crate) second: Option<String>,
}

/// A stream with its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Names it in requests.
    pub(crate) token: String,
    /// For people.
    pub(crate) name: String,
    /// As the camera names it: `H264`, `H265`, `JPEG`. Empty if it does not tell.
    pub(crate) codec: String,
    /// Pixels; 0 if it does not tell.
    pub(crate) width: u32,
    /// Pixels; 0 if it does not tell.
    pub(crate) height: u32,
    /// Frames a second at most; 0 if it does not tell.
    pub(crate) fps: f32,
    /// The sensor or channel that it shows; empty if it does not tell.
    pub(crate) source: String,
}

/// A refusal in SOAP's form.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// Code and subcodes without prefixes.
    pub(crate) codes: Vec<String>,
    /// In the camera's words.
    pub(crate) reason: String,
}

/// Codes with which cameras refuse a login, or the lack of one.
const LOGIN_CODES: [&str; 6] = [
    "NotAuthorized",
    "SenderNotAuthorized",
    "FailedAuthentication",
    "FailedCheck",
    "InvalidSecurity",
    "InvalidSecurityToken",
];

impl Fault {
    /// True if it is about the login.
    pub(crate) fn is_about_login(&self) -> bool {
        let has_words = || self.reason.to_ascii_lowercase().replace(' ', "").contains("notauthorized");
        self.codes.iter().any(|code| LOGIN_CODES.contains(&code.as_str())) || has_words()
    }
}

impl Reading {
    /// The same without what could deceive a terminal: the child may be in a stranger's hand.
    pub(crate) fn printable(mut self) -> Self {
        let mut clean = |text: &mut String| *text = printable(text);
        match &mut self {
            Self::Answer(Answer::Probe(matches)) => {
                for found in matches {
                    found.types.iter_mut().chain(&mut found.scopes).chain(&mut found.addresses).for_each(&mut clean);
                }
            }
            Self::Answer(Answer::Device(device)) => {
                [&mut device.manufacturer, &mut device.model, &mut device.firmware].into_iter().for_each(clean);
            }
            Self::Answer(Answer::Services(services)) => {
                services.first.iter_mut().chain(&mut services.second).for_each(clean);
            }
            Self::Answer(Answer::Profiles(profiles)) => {
                for profile in profiles {
                    // The token goes back to the camera as it is, escaped; it is never shown.
                    [&mut profile.name, &mut profile.codec, &mut profile.source].into_iter().for_each(&mut clean);
                }
            }
            Self::Answer(Answer::Uri(uri)) => clean(uri),
            Self::Answer(Answer::Time(_)) => {}
            Self::Fault(fault) => fault.codes.iter_mut().chain([&mut fault.reason]).for_each(clean),
            Self::Unreadable(reason) => clean(reason),
        }
        self
    }
}

/// Text without control characters, and without those that change the direction of what follows.
pub(super) fn printable(text: &str) -> String {
    let is_hidden = |letter: &char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|letter| !is_hidden(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_a_terminal_but_what_can_be_seen() {
        let device =
            DeviceInformation { model: "\x1b[2J\u{202e}C\u{9b}31mé 1".into(), ..DeviceInformation::default() };
        let Reading::Answer(Answer::Device(device)) = Reading::Answer(Answer::Device(device)).printable() else {
            unreachable!("the kind of an answer stays")
        };
        assert_eq!(device.model, "[2JC31mé 1");
    }

    #[test]
    fn a_refused_login_is_told_from_other_faults() {
        let fault = |codes: &[&str], reason: &str| Fault {
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            reason: reason.into(),
        };
        assert!(fault(&["Sender", "NotAuthorized"], "").is_about_login());
        assert!(fault(&["Sender"], "Sender Not Authorized").is_about_login());
        assert!(!fault(&["Receiver", "ActionNotSupported"], "not implemented").is_about_login());
    }
}
