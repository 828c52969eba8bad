//! Which file of `src/` imports which, and where they import each other.

use super::paths::{Names, UsedPath, names};
use super::source::SourceFile;
use std::collections::{BTreeMap, BTreeSet};

/// A file, by its place among the files.
type FileIndex = usize;

/// All files with what they name. Test files are left out.
#[derive(Debug)]
pub struct Imports {
    files: Vec<SourceFile>,
    names: Vec<Names>,
    by_module: BTreeMap<Vec<String>, FileIndex>,
    /// What each file calls by a name of one word: the absolute path that it imports under this name.
    bound: Vec<BTreeMap<String, Vec<String>>>,
}

/// Files that import each other, with the imports that make it so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Circle {
    pub files: Vec<String>,
    /// `a.rs uses X of b.rs`.
    pub imports: Vec<String>,
}

impl Imports {
    pub fn new(files: Vec<SourceFile>) -> Self {
        let files: Vec<SourceFile> = files.into_iter().filter(|file| !file.is_test).collect();
        let by_module = files.iter().enumerate().map(|(index, file)| (file.module.clone(), index)).collect();
        let names: Vec<Names> = files.iter().map(|file| names(&file.code)).collect();
        let mut imports = Self { bound: vec![BTreeMap::new(); files.len()], files, names, by_module };
        for file in 0..imports.files.len() {
            let paths = imports.names[file].paths.iter().filter(|path| path.name.is_some());
            let bound = paths.filter_map(|path| Some((path.name.clone()?, imports.absolute(file, &path.segments)?)));
            let bound = bound.collect();
            imports.bound[file] = bound;
        }
        imports
    }

    /// Each file with the paths of this crate that it names, from the root: `["ipc", "messages", "ToUnit"]`.
    pub fn absolute_paths(&self) -> impl Iterator<Item = (&SourceFile, Vec<String>)> {
        self.files.iter().enumerate().flat_map(move |(index, file)| {
            let absolute = move |path: &UsedPath| Some((file, self.absolute(index, &path.segments)?));
            self.names[index].paths.iter().filter_map(absolute)
        })
    }

    /// Each file with all paths that it names, as they are written, or from the root where they are this crate's.
    pub fn written_paths(&self) -> impl Iterator<Item = (&SourceFile, String)> {
        let of_crate = self.absolute_paths().map(|(file, path)| (file, format!("crate::{}", path.join("::"))));
        let others = self.files.iter().enumerate().flat_map(move |(index, file)| {
            let outside = move |path: &&UsedPath| self.absolute(index, &path.segments).is_none();
            self.names[index].paths.iter().filter(outside).map(move |path| (file, path.text()))
        });
        of_crate.chain(others)
    }

    /// A path of this crate from its root; `None` for one of a library.
    fn absolute(&self, file: FileIndex, segments: &[String]) -> Option<Vec<String>> {
        let module = &self.files[file].module;
        let (first, rest) = segments.split_first()?;
        let is_binary = module == &["main"];
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "ocelli" if is_binary => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let ups = segments.iter().take_while(|segment| *segment == "super").count();
                Some([&module[..module.len().checked_sub(ups)?], &segments[ups..]].concat())
            }
            // A child module, or a name that was imported before.
            _ => {
                let child = [module.as_slice(), std::slice::from_ref(first)].concat();
                if self.by_module.contains_key(&child) && !module.is_empty() {
                    return Some([&child, rest].concat());
                }
                let bound = self.bound[file].get(first).filter(|_| !rest.is_empty())?;
                Some([bound.as_slice(), rest].concat())
            }
        }
    }

    /// The file that defines what a path names, behind all files that only export it again; and the name there.
    fn definition(&self, path: &[String]) -> Option<(FileIndex, String)> {
        let mut path = path.to_vec();
        // No chain of exports is longer.
        for _ in 0..16 {
            let length = (0..=path.len()).rev().find(|length| self.by_module.contains_key(&path[..*length]))?;
            let file = self.by_module[&path[..length]];
            let Some(item) = path.get(length) else { return Some((file, "(the module)".to_owned())) };
            match self.bound[file].get(item) {
                Some(target) if *target != path[..=length] => path = [target, &path[length + 1..]].concat(),
                _ => return Some((file, item.clone())),
            }
        }
        None
    }

    /// What each file uses of which others.
    fn edges(&self) -> Vec<BTreeMap<FileIndex, BTreeSet<String>>> {
        let mut edges = vec![BTreeMap::<FileIndex, BTreeSet<String>>::new(); self.files.len()];
        for (index, used) in edges.iter_mut().enumerate() {
            for path in &self.names[index].paths {
                let Some(absolute) = self.absolute(index, &path.segments) else { continue };
                let Some((target, item)) = self.definition(&absolute) else { continue };
                if target != index && !self.only_exports(index, target, path) {
                    used.entry(target).or_default().insert(item);
                }
            }
        }
        edges
    }

    /// A file that exports what its children define, and does not name it otherwise, imports nothing.
    fn only_exports(&self, file: FileIndex, target: FileIndex, path: &UsedPath) -> bool {
        let is_child = self.files[target].module.starts_with(&self.files[file].module);
        let is_named = path.name.as_ref().is_some_and(|name| self.names[file].words.contains(name));
        path.is_public && is_child && !is_named
    }

    /// The strongly connected components of more than one file: each of their files reaches each other one.
    pub fn circles(&self) -> Vec<Circle> {
        let edges = self.edges();
        let reached: Vec<BTreeSet<FileIndex>> = (0..edges.len()).map(|file| reachable(&edges, file)).collect();
        let mut circles: Vec<Circle> = Vec::new();
        for file in 0..edges.len() {
            let members: Vec<FileIndex> =
                reached[file].iter().copied().filter(|other| reached[*other].contains(&file)).collect();
            // Each circle once: from its first file.
            if members.len() > 1 && members[0] == file {
                circles.push(self.circle(&members, &edges));
            }
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.files.len()));
        circles
    }

    fn circle(&self, members: &[FileIndex], edges: &[BTreeMap<FileIndex, BTreeSet<String>>]) -> Circle {
        let path = |file: FileIndex| self.files[file].path.clone();
        let mut imports = Vec::new();
        for file in members {
            for (target, items) in edges[*file].iter().filter(|(target, _)| members.contains(target)) {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                imports.push(format!("{} uses {} of {}", path(*file), items.join(", "), path(*target)));
            }
        }
        Circle { files: members.iter().map(|file| path(*file)).collect(), imports }
    }
}

/// All files that a file imports, directly or over others; itself only if one of them imports it.
fn reachable(edges: &[BTreeMap<FileIndex, BTreeSet<String>>], from: FileIndex) -> BTreeSet<FileIndex> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        open.extend(edges[file].keys().copied().filter(|target| found.insert(*target)));
    }
    found
}

#[cfg(test)]
fn circles_of(texts: &[(&str, &str)]) -> Vec<Circle> {
    let texts = texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Imports::new(super::source::prepare(texts)).circles()
}

#[test]
fn a_circle_over_a_group_over_super_and_over_a_third_file_is_found() {
    let direct = [("a/x.rs", "use crate::a::{y::Y, z};"), ("a/y.rs", "use super::super::a::x::X;"), ("a/z.rs", "")];
    let circles = circles_of(&direct);
    assert_eq!(circles.len(), 1);
    assert_eq!(circles[0].imports, ["a/x.rs uses Y of a/y.rs", "a/y.rs uses X of a/x.rs"]);
    let over_a_third =
        [("x.rs", "use crate::y::Y;"), ("y.rs", "fn f() { crate::z::f(); }"), ("z.rs", "use crate::x::X;")];
    assert_eq!(circles_of(&over_a_third)[0].files, ["x.rs", "y.rs", "z.rs"]);
}

#[test]
fn a_test_makes_no_circle() {
    let texts = [("x.rs", "#[cfg(test)]\nmod tests { use crate::y::Y; }"), ("y.rs", "use crate::x::X;")];
    assert!(circles_of(&texts).is_empty());
}

#[test]
fn a_module_that_only_exports_its_children_does_not_import_them() {
    let parent = "mod x;\nmod y;\npub use x::X;\npub struct Rules;";
    let children = [("a/x.rs", "use crate::a::Rules;"), ("a/y.rs", "use crate::a::X;")];
    assert!(circles_of(&[("a/mod.rs", parent), children[0], children[1]]).is_empty());
    let uses_it = format!("{parent}\nfn f(x: X) {{}}");
    let circles = circles_of(&[("a/mod.rs", &uses_it), children[0], children[1]]);
    assert_eq!(circles[0].imports, ["a/mod.rs uses X of a/x.rs", "a/x.rs uses Rules of a/mod.rs"]);
    let calls_it = format!("{parent}\nfn f() {{ x::run() }}");
    assert_eq!(circles_of(&[("a/mod.rs", &calls_it), children[0], children[1]]).len(), 1);
}

#[test]
fn a_circle_behind_an_export_is_found() {
    let texts = [
        ("a/mod.rs", "mod x;\nmod y;\npub use x::X;\npub use y::Y as Why;"),
        ("a/x.rs", "use crate::a::Why;"),
        ("a/y.rs", "use crate::a; fn f(x: a::X) {}"),
    ];
    assert_eq!(circles_of(&texts)[0].files, ["a/x.rs", "a/y.rs"]);
}
