//! A small tree of an XML document that a stranger wrote: bounded in length, depth and number of elements.
//!
//! Names are local ones: cameras choose prefixes as they like, and some bind them to wrong namespaces. No entity is
//! expanded but the five of XML and characters by number, and a document with a DTD is refused.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The longest document in bytes.
pub(super) const MAX_BYTES: usize = 256 << 10;

/// The deepest element. What ONVIF defines has a dozen levels.
const MAX_DEPTH: usize = 32;

/// The most elements. 64 profiles have 7,000.
const MAX_ELEMENTS: usize = 10_000;

/// The longest text of an element in bytes; what follows is left out.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// The attribute that names a profile. No other attribute is of interest.
const TOKEN: &str = "token";

/// Why a document is not read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum XmlError {
    /// It has this many bytes.
    #[error("it has {0} bytes; at most {MAX_BYTES} are read")]
    TooLong(usize),
    /// The parser's words.
    #[error("it is not XML: {0}")]
    NotXml(String),
    /// There is no element.
    #[error("it is empty")]
    Empty,
    /// It declares entities.
    #[error("it has a document type declaration, which no camera needs")]
    Doctype,
    /// It refers to this entity.
    #[error("it refers to an unknown entity `{0}`")]
    Entity(String),
    /// Elements lie too deep in each other.
    #[error("its elements are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// There are too many elements.
    #[error("it has more than {MAX_ELEMENTS} elements")]
    TooMany,
}

/// An element without its prefix.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Element {
    name: String,
    token: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document. Bytes that are not UTF-8 become U+FFFD: names in an old encoding must not hide a camera.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLong(bytes.len()));
        }
        let text = String::from_utf8_lossy(bytes);
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
        // The elements that are open, the outermost first, below one that stands for the document.
        let (mut open, mut elements) = (vec![Self::default()], 0);
        loop {
            match reader.read_event().map_err(|error| XmlError::NotXml(error.to_string()))? {
                Event::Start(tag) => {
                    count(&mut elements)?;
                    if open.len() > MAX_DEPTH {
                        return Err(XmlError::TooDeep);
                    }
                    open.push(Self::from_tag(&tag));
                }
                Event::Empty(tag) => {
                    count(&mut elements)?;
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(Self::from_tag(&tag));
                    }
                }
                Event::End(_) => close(&mut open),
                Event::Text(text) => add_text(&mut open, &text.xml10_content()),
                Event::CData(text) => add_text(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => add_text(&mut open, character(&reference)?.encode_utf8(&mut [0; 4])),
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        // A document that was cut short is refused: half a URL is a wrong one.
        match open.len() {
            1 => open.pop().and_then(|document| document.children.into_iter().next()).ok_or(XmlError::Empty),
            _ => Err(XmlError::NotXml("it is cut short".into())),
        }
    }

    fn from_tag(tag: &BytesStart<'_>) -> Self {
        let mut attributes = tag.attributes();
        let token =
            attributes.with_checks(false).filter_map(Result::ok).find(|found| local(found.key.as_ref()) == TOKEN);
        let token =
            token.and_then(|token| Some(token.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.into_owned()));
        Self { name: local(tag.name().as_ref()).to_owned(), token, ..Self::default() }
    }

    /// The local name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The attribute `token`.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The text between its tags, without that of its children and without space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The elements in it.
    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// All elements in it with this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.children.iter().find(|child| child.name == *name))
    }

    /// The text at the end of a path of names, unless it is empty.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(Self::text).filter(|text| !text.is_empty())
    }

    /// The first element with this name at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.children.iter().find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }
}

fn count(elements: &mut usize) -> Result<(), XmlError> {
    *elements += 1;
    if *elements > MAX_ELEMENTS { Err(XmlError::TooMany) } else { Ok(()) }
}

fn close(open: &mut Vec<Element>) {
    if let Some(element) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(element);
    }
}

fn add_text(open: &mut [Element], more: &str) {
    let Some(element) = open.last_mut() else { return };
    let room = MAX_TEXT_BYTES.saturating_sub(element.text.len());
    element.text.push_str(&more[..more.floor_char_boundary(room)]);
}

fn character(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    let name = reference.xml10_content();
    let unknown = || XmlError::Entity(name.chars().take(32).collect());
    match &*name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => reference.resolve_char_ref().ok().flatten().ok_or_else(unknown),
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(levels: usize) -> String {
        format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels))
    }

    #[test]
    fn prefixes_entities_cdata_and_a_byte_order_mark_do_not_matter() {
        let text = "\u{feff}\n<?xml version='1.0'?><q:A xmlns:q='x'><B.1:b x='1' p:token='t&amp;1'> a&lt;&#66;<!-- no --><![CDATA[<c>]]> </B.1:b></q:A>";
        let document = Element::parse(text.as_bytes()).unwrap();
        let child = document.at(&["b"]).unwrap();
        assert_eq!((document.name(), child.text(), child.token()), ("A", "a<B<c>", Some("t&1")));
        assert_eq!((document.text_at(&["c"]), document.find("b")), (None, Some(child)));
    }

    #[test]
    fn what_is_hostile_or_broken_is_refused_with_the_reason() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        for (text, expected) in [
            (bomb, XmlError::Doctype),
            ("<a>&c;</a>", XmlError::Entity("c".into())),
            ("<a>&#xD800;</a>", XmlError::Entity("#xD800".into())),
            ("", XmlError::Empty),
            ("<a><b>", XmlError::NotXml("it is cut short".into())),
            (&deep(MAX_DEPTH + 1), XmlError::TooDeep),
            (&many, XmlError::TooMany),
        ] {
            assert_eq!(Element::parse(text.as_bytes()), Err(expected));
        }
        assert_eq!(Element::parse(&vec![b' '; MAX_BYTES + 1]), Err(XmlError::TooLong(MAX_BYTES + 1)));
        for text in ["<a></b>", "<a", "</a>", "<a><!-- ", "<a>&"] {
            assert!(matches!(Element::parse(text.as_bytes()), Err(XmlError::NotXml(_))), "{text}");
        }
        assert!(Element::parse(deep(MAX_DEPTH).as_bytes()).is_ok());
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced_and_long_text_is_cut() {
        let document = Element::parse(b"<a><b>caf\xe9</b></a>").unwrap();
        assert_eq!(document.text_at(&["b"]), Some("caf\u{fffd}"));
        let long = format!("<a>{}</a>", "é".repeat(MAX_TEXT_BYTES));
        assert_eq!(Element::parse(long.as_bytes()).unwrap().text().len(), MAX_TEXT_BYTES);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            drop(Element::parse(&bytes));
        }

        #[test]
        fn no_tags_make_it_panic(text in "(<|>|/|a|:|b|&|;|#|x|\"|=| |!|\\[|\\]|-|\\?){0,60}") {
            drop(Element::parse(text.as_bytes()));
        }
    }
}
