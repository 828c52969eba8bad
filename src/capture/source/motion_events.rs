//! The camera's own motion events, from its metadata track: XML in RTP (ONVIF Streaming Specification 23.06, section 5.2.1.1.3).
//!
//! A document is cut into packets, of which the last one has the marker bit. Of all that it may tell, only this is read: a
//! notification (WS-BaseNotification) whose topic names motion, with an item that says whether there is some.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A document that is longer is left out: one with all objects of a busy scene has about 20 KiB.
const MOST_BYTES: usize = 64 << 10;

/// Fixed header, CSRC count and extension bit (RFC 3550, section 5.1).
const RTP_HEADER: usize = 12;

/// Names of the item that says whether something moves: of cell motion, of motion alarms and regions, and of older cameras.
const ITEMS: [&str; 3] = ["IsMotion", "State", "MotionActive"];

/// Puts documents together from packets.
#[derive(Debug, Default)]
pub(super) struct MotionEvents {
    document: Vec<u8>,
    /// It has grown too long: what is left of it is not read.
    is_too_long: bool,
}

impl MotionEvents {
    /// Takes in an RTP packet. True if it ends a document that says that something moves.
    pub(super) fn take_in(&mut self, packet: &[u8]) -> bool {
        let Some((is_last, payload)) = payload(packet) else { return false };
        self.is_too_long |= self.document.len() + payload.len() > MOST_BYTES;
        if !self.is_too_long {
            self.document.extend_from_slice(payload);
        }
        if !is_last {
            return false;
        }
        let document = std::mem::take(&mut self.document);
        !std::mem::take(&mut self.is_too_long) && tells_motion(&document)
    }
}

/// The marker bit and the payload of an RTP packet.
fn payload(packet: &[u8]) -> Option<(bool, &[u8])> {
    let (first, second) = (*packet.first()?, *packet.get(1)?);
    let mut start = RTP_HEADER + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    let padding = if first & 0x20 != 0 { usize::from(*packet.last()?) } else { 0 };
    Some((second & 0x80 != 0, packet.get(start..packet.len().checked_sub(padding)?)?))
}

/// True if one of its notifications says that something moves. What cannot be read says nothing.
fn tells_motion(document: &[u8]) -> bool {
    let Ok(document) = std::str::from_utf8(document) else { return false };
    let mut reader = Reader::from_str(document);
    let (mut is_topic, mut is_about_motion) = (false, false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => match element.local_name().as_ref() {
                "NotificationMessage" => is_about_motion = false,
                "Topic" => is_topic = true,
                "SimpleItem" if is_about_motion && says_yes(&element) => return true,
                _ => {}
            },
            Ok(Event::Text(text)) if is_topic => is_about_motion |= text.xml10_content().contains("Motion"),
            Ok(Event::End(element)) if element.local_name().as_ref() == "Topic" => is_topic = false,
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

fn says_yes(item: &BytesStart<'_>) -> bool {
    let value = |name: &str| {
        let found = item.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name);
        found.map(|attribute| attribute.value.into_owned()).unwrap_or_default()
    };
    ITEMS.contains(&&*value("Name")) && matches!(&*value("Value"), "true" | "1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(topic: &str, name: &str, value: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"
               xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"><tt:Event><wsnt:NotificationMessage>
               <wsnt:Topic Dialect="d">{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-11-30T08:00:00Z">
               <tt:Source><tt:SimpleItem Name="Rule" Value="true"/></tt:Source>
               <tt:Data><tt:SimpleItem Name="{name}" Value="{value}"/></tt:Data></tt:Message></wsnt:Message>
               </wsnt:NotificationMessage></tt:Event></tt:MetadataStream>"#
        )
    }

    fn packet(is_last: bool, payload: &[u8]) -> Vec<u8> {
        [&[0x80, if is_last { 0xeb } else { 0x6b }][..], &[0; 10], payload].concat()
    }

    /// Whether a document that comes in so many packets tells motion.
    fn told(document: &str, packets: usize) -> bool {
        let mut events = MotionEvents::default();
        let length = document.len().div_ceil(packets);
        let mut parts = document.as_bytes().chunks(length).peekable();
        let mut told = false;
        while let Some(part) = parts.next() {
            assert!(!told, "before its end");
            told = events.take_in(&packet(parts.peek().is_none(), part));
        }
        told
    }

    #[test]
    fn the_topics_of_motion_are_known_and_no_others() {
        for (topic, name, value, expected) in [
            ("tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion", "true", true),
            ("tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion", "false", false),
            ("tns1:VideoSource/MotionAlarm", "State", "1", true),
            ("tns1:RuleEngine/MotionRegionDetector/Motion", "State", "true", true),
            ("tns1:Device/Trigger/DigitalInput", "State", "true", false),
            ("tns1:RuleEngine/CellMotionDetector/Motion", "IsInside", "true", false),
        ] {
            for packets in [1, 3, 40] {
                assert_eq!(told(&document(topic, name, value), packets), expected, "{topic} {name} {value}");
            }
        }
    }

    #[test]
    fn headers_of_any_length_are_passed_over_and_lies_about_lengths_are_no_payload() {
        let mut whole = vec![0xb2, 0xeb];
        whole.extend([0; 10]);
        whole.extend([9; 8]);
        whole.extend([0, 0, 0, 1, 7, 7, 7, 7]);
        whole.extend(b"abc");
        whole.extend([0, 2]);
        assert_eq!(payload(&whole), Some((true, &b"abc"[..])));
        assert_eq!(payload(&[0x80, 0, 1]), None);
        assert_eq!(payload(&[&[0xa0, 0x80][..], &[0; 10], &[200]].concat()), None, "padding longer than the packet");
    }

    #[test]
    fn a_document_without_an_end_is_bounded_and_the_next_one_is_read() {
        let mut events = MotionEvents::default();
        for _ in 0..200 {
            assert!(!events.take_in(&packet(false, &[b'<'; 1000])));
        }
        assert!(events.document.len() <= MOST_BYTES);
        let motion = document("tns1:VideoSource/MotionAlarm", "State", "true");
        assert!(!events.take_in(&packet(true, motion.as_bytes())), "it ends the long one");
        assert!(events.take_in(&packet(true, motion.as_bytes())));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            MotionEvents::default().take_in(&bytes);
            MotionEvents::default().take_in(&packet(true, &bytes));
        }
    }
}
