//! Reads where a camera's media are, and its profiles, in both versions of ONVIF's media service.

use crate::discover::answers::{MediaServices, Profile};
use crate::discover::bounded_text::{cut, url};
use crate::discover::xml_tree::Element;

/// The most profiles that are read: those of a recorder with 32 channels. All must fit into a packet to the parent.
const MAX_PROFILES: usize = 64;

/// The longest token: a longer one cannot be sent back. ONVIF allows 64 characters.
const MAX_TOKEN: usize = 256;

/// The ends of the namespaces of the two versions.
const FIRST: &str = "/ver10/media/wsdl";
const SECOND: &str = "/ver20/media/wsdl";

/// From `GetServicesResponse` or `GetCapabilitiesResponse`.
pub(super) fn media_services(content: &Element) -> MediaServices {
    let of = |end: &str| {
        let is_it = |service: &&Element| {
            service.text_at(&["Namespace"]).is_some_and(|name| name.trim_end_matches('/').ends_with(end))
        };
        content.all("Service").find(is_it)?.text_at(&["XAddr"]).and_then(url)
    };
    let old = || content.text_at(&["Capabilities", "Media", "XAddr"]).and_then(url);
    MediaServices { first: of(FIRST).or_else(old), second: of(SECOND) }
}

/// From `GetProfilesResponse`. Profiles without a video encoder are left out.
pub(super) fn profiles(content: &Element) -> Vec<Profile> {
    content.all("Profiles").take(MAX_PROFILES).filter_map(profile).collect()
}

fn profile(profile: &Element) -> Option<Profile> {
    let token = profile.token().filter(|token| (1..=MAX_TOKEN).contains(&token.len()))?;
    let second = || profile.at(&["Configurations", "VideoEncoder"]);
    let encoder = profile.at(&["VideoEncoderConfiguration"]).or_else(second)?;
    let source = || profile.text_at(&["Configurations", "VideoSource", "SourceToken"]);
    let source = profile.text_at(&["VideoSourceConfiguration", "SourceToken"]).or_else(source);
    let pixels = |name| encoder.text_at(&["Resolution", name]).and_then(|text| text.parse().ok()).unwrap_or(0);
    let fps = encoder.text_at(&["RateControl", "FrameRateLimit"]).and_then(|text| text.parse::<f32>().ok());
    Some(Profile {
        token: token.to_owned(),
        name: profile.text_at(&["Name"]).map_or_else(|| cut(token), cut),
        codec: encoder.text_at(&["Encoding"]).map(cut).unwrap_or_default(),
        width: pixels("Width"),
        height: pixels("Height"),
        fps: fps.filter(|fps| (0.0..=1000.0).contains(fps)).unwrap_or(0.0),
        source: source.map(cut).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        Element::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn services_are_found_by_their_namespaces_or_as_capabilities() {
        let new = element(
            "<R><Service><Namespace>http://www.onvif.org/ver20/media/wsdl</Namespace><XAddr>http://h/2</XAddr></Service>\
             <Service><Namespace> http://www.onvif.org/ver10/media/wsdl/ </Namespace><XAddr>http://h/1</XAddr></Service>\
             <Service><XAddr>http://h/3</XAddr></Service></R>",
        );
        let expected = MediaServices { first: Some("http://h/1".into()), second: Some("http://h/2".into()) };
        assert_eq!(media_services(&new), expected);
        let old = element("<R><Capabilities><Media><XAddr>http://h/m</XAddr></Media></Capabilities></R>");
        assert_eq!(media_services(&old), MediaServices { first: Some("http://h/m".into()), second: None });
        assert_eq!(media_services(&element("<R/>")), MediaServices::default());
    }

    #[test]
    fn profiles_of_both_versions_are_read_and_those_without_video_left_out() {
        let encoder = "<Encoding>H264</Encoding><Resolution><Width>1920</Width><Height>1080</Height></Resolution><RateControl><FrameRateLimit>12.5</FrameRateLimit></RateControl>";
        let document = element(&format!(
            "<R><t:Profiles token='one'><t:Name>Main</t:Name><t:VideoSourceConfiguration token='c'><t:SourceToken>s1</t:SourceToken></t:VideoSourceConfiguration><t:VideoEncoderConfiguration>{encoder}</t:VideoEncoderConfiguration></t:Profiles>\
             <Profiles token='two'><Configurations><VideoSource><SourceToken>s2</SourceToken></VideoSource><VideoEncoder><Encoding>H265</Encoding></VideoEncoder></Configurations></Profiles>\
             <Profiles token='audio'><Name>Audio</Name></Profiles><Profiles><VideoEncoderConfiguration/></Profiles></R>"
        ));
        let found = profiles(&document);
        let main = Profile {
            token: "one".into(),
            name: "Main".into(),
            codec: "H264".into(),
            width: 1920,
            height: 1080,
            fps: 12.5,
            source: "s1".into(),
        };
        let second = Profile {
            token: "two".into(),
            name: "two".into(),
            codec: "H265".into(),
            source: "s2".into(),
            ..Profile::default()
        };
        assert_eq!(found, [main, second]);
    }

    #[test]
    fn numbers_that_are_none_count_as_not_told() {
        let document = element(
            "<R><Profiles token='x'><VideoEncoderConfiguration><Resolution><Width>-1</Width><Height>99999999999</Height></Resolution>\
             <RateControl><FrameRateLimit>NaN</FrameRateLimit></RateControl></VideoEncoderConfiguration></Profiles></R>",
        );
        let found = &profiles(&document)[0];
        assert_eq!((found.width, found.height, found.fps), (0, 0, 0.0));
    }
}
