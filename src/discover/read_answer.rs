//! Reads what a camera answers: bytes in, plain values out. Runs in the confined child.

use crate::discover::answers::{Answer, DeviceInformation, Fault, Match, Question, Reading};
use crate::discover::bounded_text::{cut, url};
use crate::discover::read_media::{media_services, profiles};
use crate::discover::xml_tree::{Element, XmlError};

/// The most devices in one answer to a probe, and addresses of a device: all must fit into a packet to the parent.
const MAX_MATCHES: usize = 4;

/// The most scopes, types and addresses of a device.
const MAX_LISTED: usize = 24;

/// What a document says.
pub(super) fn read(question: Question, bytes: &[u8]) -> Reading {
    match read_body(question, bytes) {
        Ok(reading) => reading,
        Err(reason) => Reading::Unreadable(reason),
    }
}

fn read_body(question: Question, bytes: &[u8]) -> Result<Reading, String> {
    let document = Element::parse(bytes).map_err(|error: XmlError| error.to_string())?;
    let body = document.at(&["Body"]).filter(|_| document.name() == "Envelope");
    let body = body.ok_or_else(|| format!("it is XML, but not SOAP: its element is `{}`", cut(document.name())))?;
    let content = body.children().first().ok_or("its SOAP body is empty")?;
    if content.name() == "Fault" {
        return Ok(Reading::Fault(fault(content)));
    }
    let expected: &[&str] = match question {
        Question::Probe => &["ProbeMatches"],
        Question::Time => &["GetSystemDateAndTimeResponse"],
        Question::Device => &["GetDeviceInformationResponse"],
        Question::Services => &["GetServicesResponse", "GetCapabilitiesResponse"],
        Question::Profiles => &["GetProfilesResponse"],
        Question::Uri => &["GetStreamUriResponse", "GetSnapshotUriResponse"],
    };
    if !expected.contains(&content.name()) {
        return Err(format!("it is `{}` instead of `{}`", cut(content.name()), expected[0]));
    }
    Ok(Reading::Answer(match question {
        Question::Probe => Answer::Probe(content.all("ProbeMatch").take(MAX_MATCHES).map(probe_match).collect()),
        Question::Time => Answer::Time(utc_ms(content)),
        Question::Device => {
            let text = |name| content.text_at(&[name]).map(cut).unwrap_or_default();
            let (manufacturer, model, firmware) = (text("Manufacturer"), text("Model"), text("FirmwareVersion"));
            Answer::Device(DeviceInformation { manufacturer, model, firmware })
        }
        Question::Services => Answer::Services(media_services(content)),
        Question::Profiles => Answer::Profiles(profiles(content)),
        Question::Uri => {
            let uri = content.find("Uri").and_then(|uri| url(uri.text()));
            Answer::Uri(uri.ok_or("it has no URL, or one that is too long")?)
        }
    }))
}

fn probe_match(found: &Element) -> Match {
    let words = |name| found.text_at(&[name]).unwrap_or_default().split_ascii_whitespace().take(MAX_LISTED);
    Match {
        types: words("Types").map(|name| cut(name.rsplit(':').next().unwrap_or(name))).collect(),
        scopes: words("Scopes").map(cut).collect(),
        addresses: words("XAddrs").filter_map(url).take(MAX_MATCHES).collect(),
    }
}

/// SOAP 1.2, and 1.1 of old cameras.
fn fault(fault: &Element) -> Fault {
    let mut codes = Vec::new();
    let mut code = fault.at(&["Code"]);
    while let Some(found) = code {
        codes.extend(found.text_at(&["Value"]));
        code = found.at(&["Subcode"]);
    }
    codes.extend(fault.text_at(&["faultcode"]));
    let codes = codes.into_iter().take(MAX_MATCHES).map(|code| cut(code.rsplit(':').next().unwrap_or(code))).collect();
    let reason = fault.text_at(&["Reason", "Text"]).or_else(|| fault.text_at(&["faultstring"]));
    Fault { codes, reason: reason.map(cut).unwrap_or_default() }
}

/// `UTCDateTime` in milliseconds since 1970.
fn utc_ms(content: &Element) -> Option<i64> {
    let utc = content.find("UTCDateTime")?;
    let number = |path: &[&str]| utc.text_at(path)?.parse::<i64>().ok();
    let (year, month, day) = (number(&["Date", "Year"])?, number(&["Date", "Month"])?, number(&["Date", "Day"])?);
    let (hour, minute) = (number(&["Time", "Hour"])?, number(&["Time", "Minute"])?);
    let second = number(&["Time", "Second"]).unwrap_or(0);
    let is_time = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..=23).contains(&hour)
        && (0..=59).contains(&minute)
        && (0..=60).contains(&second);
    is_time.then(|| (((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

/// Days of the Gregorian calendar, by counting years from March so that the leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::bounded_text::{MAX_TEXT, MAX_URL};

    fn soap(body: &str) -> Vec<u8> {
        format!("<x1:Envelope xmlns:x1='http://www.w3.org/2003/05/soap-envelope'><x1:Header/><x1:Body>{body}</x1:Body></x1:Envelope>")
            .into_bytes()
    }

    #[test]
    fn a_probe_match_is_read_whatever_its_prefixes_are() {
        let body = "<a:ProbeMatches><a:ProbeMatch><a:Types>dn:NetworkVideoTransmitter  tds:Device</a:Types>\
                    <a:Scopes>onvif://www.onvif.org/name/Yard%201\n onvif://www.onvif.org/hardware/X</a:Scopes>\
                    <a:XAddrs>http://10.0.0.5/onvif/device_service http://[fe80::1]/x</a:XAddrs></a:ProbeMatch>\
                    <ProbeMatch xmlns='u'/></a:ProbeMatches>";
        let Reading::Answer(Answer::Probe(found)) = read(Question::Probe, &soap(body)) else { unreachable!() };
        assert_eq!(found[0].types, ["NetworkVideoTransmitter", "Device"]);
        assert_eq!(found[0].scopes.len(), 2);
        assert_eq!(found[0].addresses, ["http://10.0.0.5/onvif/device_service", "http://[fe80::1]/x"]);
        assert_eq!(found[1], Match::default());
    }

    #[test]
    fn the_clock_is_read_in_utc_or_not_at_all() {
        let time = |date: &str, kind: &str| {
            let body = format!(
                "<GetSystemDateAndTimeResponse><SystemDateAndTime><{kind}><Time><Hour>1</Hour><Minute>2</Minute><Second>3</Second></Time><Date>{date}</Date></{kind}></SystemDateAndTime></GetSystemDateAndTimeResponse>"
            );
            read(Question::Time, &soap(&body))
        };
        let date = "<Year>2024</Year><Month>2</Month><Day>29</Day>";
        assert_eq!(time(date, "UTCDateTime"), Reading::Answer(Answer::Time(Some(1_709_168_523_000))));
        assert_eq!(
            time("<Year>1970</Year><Month>1</Month><Day>1</Day>", "UTCDateTime"),
            Reading::Answer(Answer::Time(Some(3_723_000)))
        );
        for (date, kind) in [
            (date, "LocalDateTime"),
            ("<Year>2024</Year><Month>13</Month><Day>1</Day>", "UTCDateTime"),
            ("<Year>99999999999999999</Year><Month>1</Month><Day>1</Day>", "UTCDateTime"),
            ("<Year>2024</Year>", "UTCDateTime"),
        ] {
            assert_eq!(time(date, kind), Reading::Answer(Answer::Time(None)), "{date} {kind}");
        }
    }

    #[test]
    fn faults_of_both_soap_versions_are_read() {
        let new = "<f:Fault><f:Code><f:Value>f:Sender</f:Value><f:Subcode><f:Value>ter:NotAuthorized</f:Value></f:Subcode></f:Code><f:Reason><f:Text xml:lang='en'>No &amp; no</f:Text></f:Reason></f:Fault>";
        let Reading::Fault(fault) = read(Question::Device, &soap(new)) else { unreachable!() };
        assert_eq!((fault.codes.join(" "), fault.reason.as_str()), ("Sender NotAuthorized".into(), "No & no"));
        assert!(fault.is_about_login());
        let old = "<Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>bad</faultstring></Fault>";
        let expected = Fault { codes: vec!["Client".into()], reason: "bad".into() };
        assert_eq!(read(Question::Uri, &soap(old)), Reading::Fault(expected));
        assert_eq!(read(Question::Uri, &soap("<Fault/>")), Reading::Fault(Fault::default()));
    }

    #[test]
    fn what_is_no_answer_says_what_it_is() {
        let reason = |question, bytes: &[u8]| match read(question, bytes) {
            Reading::Unreadable(reason) => reason,
            other => unreachable!("{other:?}"),
        };
        assert!(reason(Question::Device, b"<html><body/></html>").contains("`html`"));
        assert!(reason(Question::Device, b"HTTP/1.1 200 OK").contains("empty"));
        assert!(reason(Question::Device, &soap("")).contains("body is empty"));
        assert!(reason(Question::Device, &soap("<GetProfilesResponse/>")).contains("GetDeviceInformationResponse"));
        let long = format!("<GetStreamUriResponse><Uri>rtsp://h/{}</Uri></GetStreamUriResponse>", "x".repeat(MAX_URL));
        assert!(reason(Question::Uri, &soap(&long)).contains("too long"));
        assert!(reason(Question::Uri, &soap("<GetStreamUriResponse/>")).contains("no URL"));
    }

    #[test]
    fn missing_parts_stay_empty_and_long_ones_are_cut() {
        let body =
            format!("<GetDeviceInformationResponse><Model>{}</Model></GetDeviceInformationResponse>", "é".repeat(100));
        let Reading::Answer(Answer::Device(device)) = read(Question::Device, &soap(&body)) else { unreachable!() };
        assert_eq!((device.manufacturer.as_str(), device.model.len()), ("", MAX_TEXT));
    }
}
