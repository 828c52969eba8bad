//! The query of a listing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::http::s3::list::Listing;
use ocelli::http::s3::query::Query;

fuzz_target!(|text: &str| {
    if let Ok(query) = Query::parse(text) {
        drop(Listing::of(&query));
    }
});
