//! A reload whose disk does not answer.

use super::*;
use crate::appliance::engines::Engines;
use std::collections::HashMap;
use std::process::Command;

#[tokio::test]
async fn a_file_that_hangs_is_told_and_holds_one_thread_until_it_answers() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ocelli.toml");
    // Whoever opens it waits for a writer, as for a disk that is gone.
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    let settings = Arc::new(Settings::load_with(&[], HashMap::new()).unwrap());
    let ((requests, request_queue), (changes, _change_queue)) = (mpsc::channel(4), mpsc::channel(1));
    let (engines, _) = Engines::load(&settings.state_directory);
    let mut reloader = Reloader::new(settings, engines, BTreeMap::new(), request_queue, changes);
    reloader.limit = Duration::from_millis(50);
    let prepare = |_: &Settings, _: &Settings| Err(vec!["it is read to the end".to_owned()]);
    tokio::spawn(reloader.serve(vec![file.clone()], Redactor::default(), prepare));
    let ask = async || {
        let (reply, replied) = oneshot::channel();
        requests.send(reply).await.unwrap();
        replied.await.unwrap()
    };
    for _ in 0..2 {
        assert_eq!(ask().await, Err(ReloadError::Hanging));
    }
    // The waiting reader gets an empty file, and the next one another.
    let reader = file.clone();
    tokio::task::spawn_blocking(move || std::fs::write(reader, "")).await.unwrap().unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    let mut answer = ask().await;
    while answer == Err(ReloadError::Hanging) {
        answer = ask().await;
    }
    assert_eq!(answer, Err(ReloadError::Mistakes(vec!["it is read to the end".into()])));
}
