//! The requests, as text.

use crate::discover::answers::Question;

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
const MEDIA_2: &str = "http://www.onvif.org/ver20/media/wsdl";
const SCHEMA: &str = "http://www.onvif.org/ver10/schema";

/// The version of a media service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MediaVersion {
    /// Every camera has it.
    First,
    /// Knows H.265.
    Second,
}

/// What is asked of a camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Request<'a> {
    /// `GetSystemDateAndTime`: the only one that needs no login.
    Time,
    /// `GetDeviceInformation`.
    Device,
    /// `GetServices`.
    Services,
    /// `GetCapabilities`: the older form of it.
    Capabilities,
    /// `GetProfiles`.
    Profiles(MediaVersion),
    /// `GetStreamUri` of the profile with this token.
    Stream(MediaVersion, &'a str),
    /// `GetSnapshotUri` of the profile with this token.
    Snapshot(MediaVersion, &'a str),
}

impl Request<'_> {
    /// Its name, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Time => "GetSystemDateAndTime",
            Self::Device => "GetDeviceInformation",
            Self::Services => "GetServices",
            Self::Capabilities => "GetCapabilities",
            Self::Profiles(_) => "GetProfiles",
            Self::Stream(..) => "GetStreamUri",
            Self::Snapshot(..) => "GetSnapshotUri",
        }
    }

    /// What its answer is read as.
    pub(super) fn question(self) -> Question {
        match self {
            Self::Time => Question::Time,
            Self::Device => Question::Device,
            Self::Services | Self::Capabilities => Question::Services,
            Self::Profiles(_) => Question::Profiles,
            Self::Stream(..) | Self::Snapshot(..) => Question::Uri,
        }
    }

    /// The URI of the operation, for the `action` of the content type.
    pub(super) fn action(self) -> String {
        format!("{}/{}", self.namespace(), self.name())
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Time | Self::Device | Self::Services | Self::Capabilities => DEVICE,
            Self::Profiles(version) | Self::Stream(version, _) | Self::Snapshot(version, _) => match version {
                MediaVersion::First => MEDIA,
                MediaVersion::Second => MEDIA_2,
            },
        }
    }

    fn content(self) -> String {
        let token = |token: &str| format!("<o:ProfileToken>{}</o:ProfileToken>", escaped(token));
        match self {
            Self::Time | Self::Device | Self::Profiles(MediaVersion::First) => String::new(),
            Self::Services => "<o:IncludeCapability>false</o:IncludeCapability>".to_owned(),
            Self::Capabilities => "<o:Category>Media</o:Category>".to_owned(),
            Self::Profiles(MediaVersion::Second) => {
                "<o:Type>VideoSource</o:Type><o:Type>VideoEncoder</o:Type>".to_owned()
            }
            Self::Stream(MediaVersion::First, profile) => format!(
                "<o:StreamSetup><t:Stream>RTP-Unicast</t:Stream><t:Transport><t:Protocol>RTSP</t:Protocol></t:Transport>\
                 </o:StreamSetup>{}",
                token(profile)
            ),
            Self::Stream(MediaVersion::Second, profile) => {
                format!("<o:Protocol>RTSP</o:Protocol>{}", token(profile))
            }
            Self::Snapshot(_, profile) => token(profile),
        }
    }

    /// The whole document, with a login header or without one.
    pub(super) fn document(self, login: Option<&str>) -> String {
        let header = login.map(|login| format!("<s:Header>{login}</s:Header>")).unwrap_or_default();
        let (name, namespace, content) = (self.name(), self.namespace(), self.content());
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">{header}\
             <s:Body><o:{name} xmlns:o=\"{namespace}\" xmlns:t=\"{SCHEMA}\">{content}</o:{name}></s:Body></s:Envelope>"
        )
    }
}

/// A probe of WS-Discovery for cameras. `id` is a UUID.
pub(super) fn probe(id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><s:Header>\
         <a:Action s:mustUnderstand=\"1\">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
         <a:MessageID>uuid:{id}</a:MessageID>\
         <a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
         <a:To s:mustUnderstand=\"1\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
         <s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    )
}

/// Text between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::xml_tree::Element;

    #[test]
    fn every_request_is_well_formed_and_carries_the_token_as_text() {
        let token = "a<b>&\"c";
        for version in [MediaVersion::First, MediaVersion::Second] {
            for request in [
                Request::Time,
                Request::Device,
                Request::Services,
                Request::Capabilities,
                Request::Profiles(version),
                Request::Stream(version, token),
                Request::Snapshot(version, token),
            ] {
                let document = Element::parse(request.document(Some("<l/>")).as_bytes()).unwrap();
                let body = document.at(&["Body", request.name()]).unwrap();
                assert!(document.at(&["Header", "l"]).is_some() && request.action().ends_with(request.name()));
                let carries = matches!(request, Request::Stream(..) | Request::Snapshot(..));
                assert_eq!(body.text_at(&["ProfileToken"]), carries.then_some(token), "{request:?}");
            }
        }
        assert!(Element::parse(probe("1").as_bytes()).unwrap().at(&["Body", "Probe", "Types"]).is_some());
    }
}
