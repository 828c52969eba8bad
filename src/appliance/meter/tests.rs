//! Months that begin, end and come back, on a disk that is damaged or hangs.

use super::*;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn meter(directory: &Path) -> Meter {
    Meter::load(HoursFiles::new(directory), FileKeeper::start().unwrap(), at(0))
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

fn one_unit() -> Vec<(String, String, usize)> {
    vec![("coco".into(), "1".into(), 1)]
}

fn seconds(rows: &[HourRow]) -> f64 {
    rows.iter().map(|row| row.unit_seconds).sum()
}

/// Waits until what is being written is on the disk.
async fn written(meter: &mut Meter) {
    let (done, written) = tokio::sync::oneshot::channel();
    meter.keeper.run(move |_| done.send(()).unwrap_or_default()).unwrap();
    written.await.unwrap();
    // Jobs run before contents of the same batch are written.
    meter.keeper.replace(meter.files.path("marker"), Vec::new()).await.unwrap();
    meter.forget_written();
}

#[tokio::test]
async fn a_month_that_is_over_is_kept_to_its_end_and_then_no_longer_counted() {
    let home = tempfile::tempdir().unwrap();
    let mut meter = meter(home.path());
    meter.count(one_unit(), "2026-11-30T23", at(0));
    meter.count(one_unit(), "2026-11-30T23", at(90));
    meter.keep(at(90));
    meter.count(one_unit(), "2026-11-30T23", at(100));
    meter.count(one_unit(), "2026-12-01T00", at(130));
    written(&mut meter).await;
    meter.keep(at(150));
    written(&mut meter).await;
    assert_eq!(seconds(&meter.files.read("2026-11").unwrap()), 100.0);
    assert_eq!(seconds(&meter.files.read("2026-12").unwrap()), 30.0);
    assert_eq!(meter.hours.months().into_iter().collect::<Vec<_>>(), ["2026-12"]);
    assert_eq!(meter.totals().into_values().map(|hours| hours * 3600.0).collect::<Vec<_>>(), [30.0]);
}

#[tokio::test]
async fn what_the_disk_does_not_have_yet_is_told_until_it_has_it() {
    let home = tempfile::tempdir().unwrap();
    let mut meter = meter(home.path());
    let month = meter.month.clone();
    let hour = format!("{month}-02T03");
    meter.count(one_unit(), &hour, at(0));
    meter.count(one_unit(), &hour, at(20));
    assert_eq!(seconds(&meter.unstored()), 20.0);
    assert!(meter.files.read(&month).unwrap().is_empty(), "nothing was written yet");
    meter.keep(at(20));
    written(&mut meter).await;
    assert!(meter.unstored().is_empty());
    meter.count(one_unit(), &hour, at(25));
    assert_eq!(seconds(&meter.unstored()), 25.0);
    meter.count(one_unit(), "2031-01-01T00", at(30));
    assert!(meter.unstored().is_empty(), "the new month is not read yet");
}

#[tokio::test]
async fn a_box_that_learns_the_time_goes_on_from_what_it_has_kept_of_that_month() {
    let home = tempfile::tempdir().unwrap();
    let mut meter = meter(home.path());
    let kept = HourRow { hour: "2026-11-24T08".into(), model: "coco".into(), version: "1".into(), unit_seconds: 50.0 };
    std::fs::write(meter.files.path("2026-11"), csv(&[kept])).unwrap();
    meter.count(one_unit(), "1970-01-01T00", at(0));
    meter.count(one_unit(), "2026-11-24T08", at(60));
    written(&mut meter).await;
    meter.keep(at(60));
    written(&mut meter).await;
    assert_eq!(seconds(&meter.files.read("2026-11").unwrap()), 110.0);
}

/// A month long past, so that the meter does not read it by itself at the start.
const MONTH: &str = "2021-03";

/// A directory with fifty seconds of [`MONTH`], and its content.
fn stored_month() -> (TempDir, Vec<u8>) {
    let (home, hour) = (tempfile::tempdir().unwrap(), format!("{MONTH}-24T08"));
    let row = HourRow { hour, model: "coco".into(), version: "1".into(), unit_seconds: 50.0 };
    let content = csv(&[row]).into_bytes();
    std::fs::write(HoursFiles::new(home.path()).path(MONTH), &content).unwrap();
    (home, content)
}

/// Counts sixty seconds, and writes them once the stored ones were read.
async fn count_a_minute(meter: &mut Meter) {
    meter.count(one_unit(), "2021-03-24T08", at(0));
    meter.count(one_unit(), "2021-03-24T08", at(60));
    written(meter).await;
    meter.keep(at(60));
    written(meter).await;
}

fn path_aside(meter: &Meter) -> PathBuf {
    meter.files.path(MONTH).with_extension("csv.damaged")
}

#[tokio::test]
async fn a_month_with_a_damaged_line_goes_on_and_its_file_is_kept_beside() {
    let (home, mut content) = stored_month();
    content.extend(b"2021-03-24T09,coco,\xFF,7200.000\n");
    let mut meter = meter(home.path());
    std::fs::write(meter.files.path(MONTH), &content).unwrap();
    count_a_minute(&mut meter).await;
    assert_eq!(seconds(&meter.files.read(MONTH).unwrap()), 110.0);
    assert_eq!(std::fs::read(path_aside(&meter)).unwrap(), content);
}

#[tokio::test]
async fn a_month_that_cannot_be_read_is_counted_from_0_and_what_is_there_is_kept_beside() {
    let home = tempfile::tempdir().unwrap();
    let mut meter = meter(home.path());
    // A directory cannot be read as a file.
    std::fs::create_dir(meter.files.path(MONTH)).unwrap();
    count_a_minute(&mut meter).await;
    assert_eq!(seconds(&meter.files.read(MONTH).unwrap()), 60.0);
    assert!(path_aside(&meter).is_dir());
}

#[tokio::test]
async fn a_damaged_file_that_cannot_be_kept_beside_is_not_replaced() {
    let (home, mut content) = stored_month();
    content.extend(b"\xFF\n");
    let mut meter = meter(home.path());
    std::fs::write(meter.files.path(MONTH), &content).unwrap();
    // A directory that is not empty has the name.
    std::fs::create_dir_all(path_aside(&meter).join("in the way")).unwrap();
    count_a_minute(&mut meter).await;
    assert_eq!(std::fs::read(meter.files.path(MONTH)).unwrap(), content);
    std::fs::remove_dir_all(path_aside(&meter)).unwrap();
    // Asked for with one write, and written with the next.
    for minute in [2, 3] {
        meter.keep(at(minute * 60));
        written(&mut meter).await;
    }
    assert_eq!(seconds(&meter.files.read(MONTH).unwrap()), 110.0);
    assert_eq!(std::fs::read(path_aside(&meter)).unwrap(), content);
}

#[tokio::test]
async fn a_month_is_counted_while_the_disk_hangs_and_not_written_before_it_was_read() {
    let (home, content) = stored_month();
    let mut meter = meter(home.path());
    // The file thread hangs.
    let (answer, answered) = sync_channel::<()>(1);
    meter.keeper.run(move |_| answered.recv().unwrap()).unwrap();
    meter.count(one_unit(), "2021-03-24T08", at(0));
    meter.count(one_unit(), "2021-03-24T08", at(60));
    meter.keep(at(60));
    assert_eq!(total(&meter), 60.0);
    answer.send(()).unwrap();
    written(&mut meter).await;
    assert_eq!(std::fs::read(meter.files.path(MONTH)).unwrap(), content, "nothing was written over it");
    meter.keep(at(120));
    written(&mut meter).await;
    assert_eq!((total(&meter), seconds(&meter.files.read(MONTH).unwrap())), (110.0, 110.0));
}

/// The seconds of the month in memory.
fn total(meter: &Meter) -> f64 {
    seconds(&meter.hours.month(MONTH))
}
