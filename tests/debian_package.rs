//! The Debian package, built of the debug binary: what is in it, what it needs, and how it is installed, upgraded, removed and
//! purged in a throw-away copy of this machine's root. `make operator` does the same in a booted Debian.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "debian_package/built.rs"]
mod built;
#[path = "debian_package/listed.rs"]
mod listed;

use built::{build, package, run};
use listed::listed;
use std::collections::BTreeSet;
use std::process::Command;

/// All that a box needs to run it: the libraries that it links, the plugins of GStreamer that it asks for, certificates.
const MAY_DEPEND_ON: [&str; 13] = [
    "ca-certificates",
    "glib-networking",
    "gstreamer1.0-libav",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "libc6",
    "libgcc-s1",
    "libglib2.0-0",
    "libgstreamer-plugins-base1.0-0",
    "libgstreamer1.0-0",
    "libstdc++6",
    "systemd",
];

#[test]
fn every_path_of_the_list_is_in_the_package_and_nothing_else() {
    let package = package();
    let (listed, contained) = (listed(), package.files());
    let missing: Vec<_> = listed.iter().filter(|file| !contained.contains(file)).collect();
    let unlisted: Vec<_> = contained.iter().filter(|file| !listed.contains(file)).collect();
    assert!(missing.is_empty() && unlisted.is_empty(), "missing {missing:#?}, not in packaging/files {unlisted:#?}");
}

#[test]
fn all_of_it_belongs_to_root_and_only_root_may_write() {
    for line in package().contents().lines() {
        let (is_link, group_and_others) = (line.starts_with('l'), &line[4..10]);
        assert!(line.contains(" root/root "), "{line}");
        assert!(is_link || !group_and_others.contains('w'), "{line}");
        assert!(!line[..10].contains(['s', 'S', 't', 'T']), "{line}");
    }
}

#[test]
fn it_depends_on_runtime_packages_alone() {
    let depends = package().field("Depends");
    let names: BTreeSet<&str> = depends.split(',').map(|one| one.split_whitespace().next().unwrap()).collect();
    let unexpected: Vec<_> = names.iter().filter(|name| !MAY_DEPEND_ON.contains(name)).collect();
    assert!(unexpected.is_empty(), "a box needs {unexpected:?} too? Then say so in MAY_DEPEND_ON: {depends}");
    for needed in ["libgstreamer1.0-0", "gstreamer1.0-libav", "ca-certificates", "systemd"] {
        assert!(names.contains(needed), "{needed} is not in {depends}");
    }
}

#[test]
fn no_setting_is_a_conffile_since_commands_write_them() {
    let package = package();
    assert!(!package.contents().contains("./etc/"), "the package installs into /etc");
    let scripts = package.scripts();
    assert_eq!(scripts, ["postinst", "postrm", "preinst", "prerm"]);
}

#[test]
fn two_builds_of_one_version_are_the_same_to_the_byte() {
    let (one, other) = (package(), build("1.0.0", "again"));
    assert!(
        std::fs::read(one.path()).unwrap() == std::fs::read(other.path()).unwrap(),
        "the package is not reproducible"
    );
}

#[test]
fn symbols_are_apart_and_belong_to_this_binary() {
    let package = package();
    let unpacked = package.unpack();
    let binary = unpacked.path().join("usr/bin/ocelli");
    assert!(!run(Command::new("readelf").args(["-SW"]).arg(&binary)).contains(".symtab"), "the binary is not stripped");
    let notes = run(Command::new("readelf").arg("-n").arg(&binary));
    let id = notes.split("Build ID: ").nth(1).unwrap().split_whitespace().next().unwrap();
    let debug = format!("./usr/lib/debug/.build-id/{}/{}.debug", &id[..2], &id[2..]);
    assert!(package.symbols().contents().contains(&debug), "{debug} is not in the package of symbols");
}

#[test]
fn every_command_has_a_man_page_and_completions_parse() {
    let unpacked = package().unpack();
    let share = unpacked.path().join("usr/share");
    let binary = unpacked.path().join("usr/bin/ocelli");
    let help = run(Command::new(binary).arg("--help"));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that is further in belongs to the one before.
    let commands = commands.filter(|line| !line.starts_with("   "));
    let names: Vec<&str> =
        commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.len() > 15 && names.contains(&"run"), "{names:?}");
    for name in names {
        let page = run(Command::new("zcat").arg(share.join(format!("man/man1/ocelli-{name}.1.gz"))));
        assert!(page.contains(&format!(".TH ocelli-{name} 1")) && page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    let hidden =
        ["unit", "capture", "man-pages"].map(|name| share.join(format!("man/man1/ocelli-{name}.1.gz")).exists());
    assert_eq!(hidden, [false; 3], "hidden commands have a page");
    run(Command::new("bash").arg("-n").arg(share.join("bash-completion/completions/ocelli")));
    let offered = "source $1; COMP_WORDS=(ocelli sta); COMP_CWORD=1; _ocelli ocelli sta ocelli; echo ${COMPREPLY[*]}";
    let script = share.join("bash-completion/completions/ocelli");
    let answer = run(Command::new("bash").args(["-c", offered, "bash"]).arg(script));
    assert_eq!(answer.trim(), "status");
}

/// A person's machine may ask for a password, which a test cannot answer, and a container may let nobody mount.
fn may_mount() -> bool {
    let is_root = run(Command::new("id").arg("-u")).trim() == "0";
    let words: &[&str] = if is_root { &["unshare"] } else { &["sudo", "-n", "unshare"] };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["--mount", "--propagation", "private", "true"]);
    command.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn it_is_installed_upgraded_removed_and_purged_without_loss_or_rest() {
    if !may_mount() {
        eprintln!(
            "not run: it takes root, or sudo without a password, and a kernel that lets root mount; see `make operator`"
        );
        return;
    }
    let (before, after) = (package(), build("1.1.0", "later"));
    let mut command = Command::new(listed::root().join("packaging/in_throw_away_root.sh"));
    let report = run(command.arg(before.path()).arg(after.path()));
    let mut rows = 0;
    for row in report.lines() {
        let [name, value, bar] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("no row: {row}") };
        assert_eq!(value, bar, "{name}\n{report}");
        rows += 1;
    }
    assert!(rows >= 25, "only {rows} steps were taken:\n{report}");
}

#[test]
fn what_is_built_is_named_after_version_and_architecture() {
    let package = package();
    let architecture = run(Command::new("dpkg").arg("--print-architecture"));
    let name = package.path().file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(name, format!("ocelli_1.0.0_{}.deb", architecture.trim()));
    assert_eq!(package.field("Version"), "1.0.0");
}
