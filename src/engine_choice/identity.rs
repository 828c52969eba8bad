//! What a choice holds for: the model, the libraries, the processor, and what the settings leave open.

use crate::engine_choice::engine::Wanted;
use crate::model::manifest::hexadecimal;
use crate::model::package::Package;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Lines of `/proc/cpuinfo` that say which processor it is, and not how fast it runs just now.
const OF_PROCESSOR: [&str; 11] = [
    "vendor_id",
    "cpu family",
    "model",
    "model name",
    "stepping",
    "flags",
    "Features",
    "CPU implementer",
    "CPU variant",
    "CPU part",
    "CPU revision",
];

/// The identity of a choice: 32 hexadecimal digits that change with the package's manifest (which has the checksums of its
/// files), the libraries, the processor, the version of ocelli and what the settings leave open.
pub fn key<'a>(package: &Package, wanted: Wanted, libraries: impl Iterator<Item = &'a Path>) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let libraries: Vec<String> = libraries.map(file_identity).collect();
    let variant = wanted.variant.map_or("any", |variant| variant.name());
    let threads = wanted.most_threads.to_string();
    key_of(&[&package.digest, &libraries.join("\n"), &processor(&cpu), env!("CARGO_PKG_VERSION"), variant, &threads])
}

fn key_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hexadecimal(&hash.finalize()[..16])
}

/// Path, length and time of a file: a library has tens of megabytes, and is looked at each time that a package is read.
fn file_identity(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(file) => format!("{} {} {}.{:09}", path.display(), file.len(), file.mtime(), file.mtime_nsec()),
        Err(_) => format!("{} missing", path.display()),
    }
}

/// The identifying lines of the first processor.
fn processor(cpuinfo: &str) -> String {
    let first = cpuinfo.split("\n\n").next().unwrap_or_default();
    let name = |line: &str| line.split(':').next().unwrap_or_default().trim().to_owned();
    let lines = first.lines().filter(|line| OF_PROCESSOR.contains(&name(line).as_str()));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::model_file::ModelVariant;

    #[test]
    fn a_processor_is_known_by_its_model_and_not_by_its_clock() {
        let text =
            "processor\t: 0\nmodel name\t: Example\ncpu MHz\t\t: 2100.1\nflags\t\t: avx512_vnni\n\nprocessor\t: 1\n";
        assert_eq!(processor(text), "model name\t: Example\nflags\t\t: avx512_vnni");
    }

    #[test]
    fn another_model_library_or_setting_is_another_choice() {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("libonnxruntime.so");
        fs::write(&library, "one").unwrap();
        let of = |digest: &str, variant| {
            let package = Package { digest: digest.into(), ..Package::default() };
            key(&package, Wanted { variant, most_threads: 1 }, std::iter::once(library.as_path()))
        };
        let first = of("a", None);
        assert_eq!(of("a", None), first);
        assert_ne!(of("b", None), first);
        assert_ne!(of("a", Some(ModelVariant::Float)), first);
        fs::write(&library, "another").unwrap();
        assert_ne!(of("a", None), first);
    }
}
