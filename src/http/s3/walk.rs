//! Walks the objects of a bucket in the order of their keys, one page at a time.
//!
//! A directory's names are compared with a `/` behind them, which makes the order of the walk that of the keys. Of each
//! directory a bounded number of names is held at a time: one with a million files is read again for each thousand, and
//! costs no memory.

use crate::http::s3::key::{MAX_DEPTH, is_name};
use crate::os::beneath::unless_trouble;
use crate::os::object_directory::{ObjectDirectory, ObjectFacts};
use std::collections::BinaryHeap;
use std::io;

/// Names of a directory that are held at a time.
const NAMES: usize = 1024;

/// Up to where a listing has come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Cursor {
    /// The last key or common prefix.
    pub(super) text: String,
    /// All keys that begin with it were listed by it.
    pub(super) is_prefix: bool,
}

impl Cursor {
    fn has_passed(&self, key: &str) -> bool {
        key <= self.text.as_str() || (self.is_prefix && key.starts_with(&self.text))
    }

    /// True if every key that begins with `path` was passed.
    fn has_passed_all_of(&self, path: &str) -> bool {
        let is_inside = self.text.starts_with(path) && !(self.is_prefix && path == self.text);
        self.has_passed(path) && !is_inside
    }
}

/// What is to be listed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Wanted {
    /// Keys that begin with it.
    pub(super) prefix: String,
    /// Keys that have it behind the prefix are listed as one.
    pub(super) delimiter: Option<String>,
    /// Keys behind it.
    pub(super) after: Cursor,
    /// Keys and common prefixes at most.
    pub(super) most: usize,
}

/// A page.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    /// In the order of their keys.
    pub(super) objects: Vec<(String, ObjectFacts)>,
    /// In order.
    pub(super) prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<Cursor>,
}

/// Reads a page from the disk.
///
/// # Errors
/// The I/O error of the bucket's directory, or of a disk in trouble. Directories below it that are gone meanwhile, or that the
/// box may not read, have no objects.
pub(super) fn list(root: &ObjectDirectory, wanted: &Wanted) -> io::Result<Page> {
    let mut walk = Walk { wanted, page: Page::default(), last: wanted.after.clone() };
    if wanted.most > 0 {
        walk.visit(root, "", 1)?;
    }
    Ok(walk.page)
}

struct Walk<'a> {
    wanted: &'a Wanted,
    page: Page,
    /// The last that was listed.
    last: Cursor,
}

impl Walk<'_> {
    /// `path` is that of the directory, with a `/` behind it unless it is the root.
    fn visit(&mut self, directory: &ObjectDirectory, path: &str, depth: usize) -> io::Result<()> {
        let mut behind = String::new();
        loop {
            let names = self.next_names(directory, path, &behind, depth)?;
            for name in &names {
                let key = format!("{path}{name}");
                match name.strip_suffix('/') {
                    // What was listed meanwhile may have the whole directory in it.
                    Some(_) if self.last.has_passed_all_of(&key) => {}
                    Some(bare) => {
                        if let Some(child) = unless_trouble(directory.child(bare))? {
                            unless_trouble(self.visit(&child, &key, depth + 1))?;
                        }
                    }
                    None if self.last.has_passed(&key) => {}
                    None => {
                        if let Some(facts) = unless_trouble(directory.facts(name))? {
                            self.add(key, facts);
                        }
                    }
                }
                if self.page.next.is_some() {
                    return Ok(());
                }
            }
            match names.last() {
                Some(last) if names.len() == NAMES => behind.clone_from(last),
                _ => return Ok(()),
            }
        }
    }

    /// The first names of a directory behind one that could have objects of the page.
    fn next_names(
        &self,
        directory: &ObjectDirectory,
        path: &str,
        behind: &str,
        depth: usize,
    ) -> io::Result<Vec<String>> {
        let (mut names, prefix) = (BinaryHeap::new(), self.wanted.prefix.as_str());
        directory.each_entry(|entry| {
            let mut name = entry.name;
            if !is_name(&name) || (entry.is_directory && depth >= MAX_DEPTH) {
                return;
            }
            if entry.is_directory {
                name.push('/');
            }
            let key = format!("{path}{name}");
            let is_wanted = key.starts_with(prefix) || (entry.is_directory && prefix.starts_with(&key));
            let is_passed = match entry.is_directory {
                true => self.last.has_passed_all_of(&key),
                false => self.last.has_passed(&key),
            };
            if name.as_str() > behind && is_wanted && !is_passed {
                names.push(name);
                if names.len() > NAMES {
                    names.pop();
                }
            }
        })?;
        Ok(names.into_sorted_vec())
    }

    fn add(&mut self, key: String, facts: ObjectFacts) {
        if self.page.objects.len() + self.page.prefixes.len() == self.wanted.most {
            self.page.next = Some(self.last.clone());
            return;
        }
        let Wanted { prefix, delimiter, .. } = self.wanted;
        let rest = &key[prefix.len()..];
        let common = delimiter.as_ref().and_then(|delimiter| Some(rest.find(delimiter.as_str())? + delimiter.len()));
        match common {
            Some(end) => {
                let common = key[..prefix.len() + end].to_owned();
                self.last = Cursor { text: common.clone(), is_prefix: true };
                self.page.prefixes.push(common);
            }
            None => {
                self.last = Cursor { text: key.clone(), is_prefix: false };
                self.page.objects.push((key, facts));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// What S3 documents, over all keys at once.
    fn expected(keys: &BTreeSet<String>, wanted: &Wanted) -> Vec<String> {
        let mut listed: Vec<String> = Vec::new();
        for key in keys.iter().filter(|key| key.starts_with(&wanted.prefix)) {
            let rest = &key[wanted.prefix.len()..];
            let end = wanted.delimiter.as_ref().and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
            let shown = end.map_or(key.clone(), |end| key[..wanted.prefix.len() + end].to_owned());
            if listed.last() != Some(&shown) {
                listed.push(shown);
            }
        }
        listed
    }

    fn all_pages(root: &ObjectDirectory, wanted: &Wanted) -> Vec<String> {
        let (mut listed, mut wanted) = (Vec::new(), wanted.clone());
        loop {
            let page = list(root, &wanted).unwrap();
            assert!(page.objects.len() + page.prefixes.len() <= wanted.most);
            let mut shown: Vec<String> = page.objects.into_iter().map(|(key, _)| key).chain(page.prefixes).collect();
            shown.sort();
            listed.append(&mut shown);
            match page.next {
                Some(next) => wanted.after = next,
                None => return listed,
            }
        }
    }

    fn bucket(keys: &BTreeSet<String>) -> (tempfile::TempDir, ObjectDirectory, BTreeSet<String>) {
        let home = tempfile::tempdir().unwrap();
        // A name is a file or a directory, and not both.
        let made = keys.iter().filter(|key| {
            let path = home.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).is_ok() && std::fs::write(path, key).is_ok()
        });
        let made = made.cloned().collect();
        let root = ObjectDirectory::open(home.path()).unwrap();
        (home, root, made)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pages_of_any_size_give_what_s3_documents(
            keys in proptest::collection::btree_set("[ab.-]{1,2}(/[ab-]{1,2}){0,3}", 0..24),
            prefix in "[ab]{0,1}(/[ab]{0,1})?",
            delimiter in proptest::option::of(prop_oneof![Just("/".to_owned()), Just("b".to_owned()), Just("-a".to_owned())]),
            most in 1_usize..6,
        ) {
            let keys: BTreeSet<String> = keys.into_iter().filter(|key| key.split('/').all(is_name)).collect();
            let (_home, root, keys) = bucket(&keys);
            let wanted = Wanted { prefix, delimiter, most, ..Wanted::default() };
            prop_assert_eq!(all_pages(&root, &wanted), expected(&keys, &wanted));
        }

        #[test]
        fn a_listing_may_begin_behind_any_text(
            keys in proptest::collection::btree_set("[ab-]{1,2}(/[ab-]{1,2}){0,2}", 0..24),
            text in "[ab/-]{0,4}",
        ) {
            let (_home, root, keys) = bucket(&keys);
            let after = Cursor { text: text.clone(), is_prefix: false };
            let wanted = Wanted { after, most: 3, ..Wanted::default() };
            let behind: Vec<String> = keys.into_iter().filter(|key| *key > text).collect();
            prop_assert_eq!(all_pages(&root, &wanted), behind);
        }
    }

    #[test]
    fn a_large_directory_is_listed_whole_and_what_is_no_object_not_at_all() {
        let keys = (0..NAMES + 300).map(|index| format!("d/{index:05}")).collect();
        let (home, root, keys) = bucket(&keys);
        std::os::unix::fs::symlink("d", home.path().join("link")).unwrap();
        std::os::unix::fs::symlink("d/00000", home.path().join("d/link")).unwrap();
        std::fs::create_dir(home.path().join("empty")).unwrap();
        std::fs::create_dir(home.path().join(".ocelli-uploads")).unwrap();
        std::fs::write(home.path().join(".ocelli-uploads/x"), "half").unwrap();
        let wanted = Wanted { most: 1000, ..Wanted::default() };
        assert_eq!(all_pages(&root, &wanted), keys.into_iter().collect::<Vec<_>>());
        let wanted = Wanted { most: 1000, delimiter: Some("/".into()), ..Wanted::default() };
        assert_eq!(all_pages(&root, &wanted), ["d/"]);
    }
}
