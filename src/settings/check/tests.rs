//! Values that are well-formed but invalid, alone and together.

use crate::settings::tests::mistakes;

/// Asserts that the only mistake in `text` has this key and contains these words; without words, that there is none.
fn check(text: &str, key: &str, words: &[&str]) {
    let mistakes = mistakes(text);
    if words.is_empty() {
        assert_eq!(mistakes, [], "{text}");
        return;
    }
    let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, [key], "{text}: {mistakes:#?}");
    assert!(words.iter().all(|word| mistakes[0].what.contains(word)), "{text}: {}", mistakes[0].what);
}

fn camera(more: &str) -> String {
    format!("[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"\n{more}")
}

fn model(name: &str, more: &str) -> String {
    format!("[[models]]\nname = \"{name}\"\n{more}\n")
}

#[test]
fn a_stall_is_longer_than_three_reports_of_a_capture_process() {
    let key = "capture.stall_seconds";
    check("[capture]\nstall_seconds = 2.9", key, &["3 to 600"]);
    check("[capture]\nstall_seconds = 3.0", key, &[]);
    let least = crate::ipc::heartbeat::SHORTEST_SILENCE.as_secs_f32();
    assert_eq!(least, 3.0, "src/settings/check/cameras.rs must allow no stall that is shorter than the heartbeat does");
}

#[test]
fn a_rate_that_no_clock_can_count_is_refused() {
    let key = "cameras[yard].fps";
    for (fps, words) in
        [("0.0", [].as_slice()), ("0.001", &[]), ("240.0", &[]), ("1e-30", &["0.001"]), ("nan", &["240"])]
    {
        check(&camera(&format!("fps = {fps}")), key, words);
    }
}

#[test]
fn what_is_blacked_out_is_an_area_of_the_picture() {
    let key = "cameras[yard].blackout[1]";
    let area = |points: &str| camera(&format!("blackout = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]], {points}]"));
    check(&area("[[0.5, 0.5], [1.0, 0.5], [1.0, 1.0]]"), "", &[]);
    check(&area("[[0.5, 0.5], [1.0, 0.5]]"), key, &["2 points", "at least 3"]);
    check(&area("[[0.5, 0.5], [1.0, 0.5], [1.0, 1.01]]"), key, &["outside the picture"]);
    check(&area("[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]"), key, &["one line"]);
}

#[test]
fn a_camera_is_trusted_in_one_way_only_and_by_a_whole_fingerprint() {
    let tls = |keys: &str| camera(&format!("tls = {{ {keys} }}"));
    let fingerprint = format!("fingerprint = \"{}\"", "a0".repeat(32));
    check(&tls(&fingerprint), "", &[]);
    check(&tls("verify = false"), "", &[]);
    check(&tls("verify = true"), "", &[]);
    check(&tls(&format!("{fingerprint}, verify = false")), "cameras[yard].tls", &["one of"]);
    check(&tls("fingerprint = \"a0:a0\""), "cameras[yard].tls.fingerprint", &["64 hexadecimal"]);
    check(&tls("ca_file = \"/nowhere/ca.pem\""), "cameras[yard].tls.ca_file", &["/nowhere/ca.pem"]);
    let over_http = |keys: &str| format!("[[cameras]]\nid = \"yard\"\nurl = \"https://cam/\"\n{keys}\n");
    check(&over_http("tls = { verify = false }"), "cameras[yard].tls", &["over RTSP"]);
    check(&over_http("basic_auth = false"), "cameras[yard].basic_auth", &["over RTSP"]);
    check(&over_http(""), "", &[]);
    let clip = |url: &str, keys: &str| format!("[[cameras]]\nid = \"yard\"\nurl = \"{url}\"\n{keys}\n");
    check(&clip("file:///srv/a%20clip.mp4", "video_track = 2\nfps = 0.0"), "", &[]);
    check(&clip("file:///clip.mkv", "motion_events = true"), "cameras[yard].motion_events", &["over RTSP"]);
    check(&clip("file:///srv/clip.avi", ""), "cameras[yard].url", &[".mp4", ".h265"]);
    for wrong in ["file://clip.mp4", "file://host/clip.mp4", "file:///100%.mp4"] {
        check(&clip(wrong, ""), "cameras[yard].url", &["file:///path", "%25"]);
    }
    check(&clip("file:///clip.mkv", "tls = { verify = false }"), "cameras[yard].tls", &["is a file"]);
    check(&clip("file:///clip.mkv", "credentials = { user = \"u\" }"), "cameras[yard].credentials", &["is a file"]);
    check(&camera("video_track = 0"), "cameras[yard].video_track", &["1 to 16"]);
    check(&camera("transport = \"auto\"\nvideo_track = 2\nbasic_auth = false\nfollow_redirects = true"), "", &[]);
    check("[capture]\nmemory_megabytes = 100", "capture.memory_megabytes", &["256"]);
    check("[capture]\nmemory_megabytes = 0", "", &[]);
    check("[units]\nmemory_megabytes = 100", "units.memory_megabytes", &["256"]);
    check("[units]\nmemory_megabytes = 0", "", &[]);
}

#[test]
fn a_second_stream_is_another_one_and_checked_like_the_first() {
    let key = "cameras[yard].detect_url";
    let detect = |url: &str, more: &str| camera(&format!("detect_url = \"{url}\"\n{more}"));
    check(&detect("rtsp://camera/sub", ""), "", &[]);
    check(&detect("rtsps://camera/sub", ""), "", &[]);
    check(&detect("http://camera/sub", ""), "", &[]);
    check(&detect("rtsp://camera/", ""), key, &["another stream than `url`"]);
    check(&detect("rtsp://user:secret@camera/", ""), key, &["another stream than `url`"]);
    check(&detect("ftp://camera/sub", ""), key, &["rtsp://"]);
    let clip = "[[cameras]]\nid = \"yard\"\nurl = \"file:///clip.mp4\"\ndetect_url = \"rtsp://camera/sub\"\n";
    check(clip, key, &["the clip of `url`"]);
    let login = "detect_credentials = { user = \"u\", password = \"p\" }";
    check(&detect("rtsp://camera/sub", login), "", &[]);
    check(&detect("rtsp://user@camera/sub", login), key, &["in one place only", "detect_credentials"]);
    check(&camera(login), "cameras[yard].detect_credentials", &["detect_url"]);
    let missing = "detect_credentials = { user = \"u\", password_file = \"/nowhere/password\" }";
    let key = "cameras[yard].detect_credentials.password_file";
    check(&detect("rtsp://camera/sub", missing), key, &["/nowhere/password"]);
    check(&detect("http://camera/sub", "basic_auth = false"), "cameras[yard].basic_auth", &["over RTSP"]);
    check(&detect("rtsp://camera/sub", "watch = \"detect stream\""), "", &[]);
    check(&camera("watch = \"detect stream\""), "cameras[yard].watch", &["no `detect_url`", "\"auto\""]);
    let all = format!("[capture]\nwatch = \"detect stream\"\n{}", camera(""));
    check(&all, "cameras[yard].watch", &["that of [capture]"]);
    check("[snapshots]\nmain_max_offset_seconds = 10.5", "snapshots.main_max_offset_seconds", &["0 to 10"]);
    check("[snapshots]\nmain_max_width_px = 63", "snapshots.main_max_width_px", &["64"]);
}

#[test]
fn models_that_could_never_get_their_units_are_refused() {
    let two = [model("a", "min_inference_units = 3"), model("b", "min_inference_units = 2")].concat();
    check(&format!("[units]\nmax_units = 4\n{two}"), "units.max_units", &["is 4", "5 units", "min_inference_units"]);
    check(&format!("[units]\nmax_units = 5\n{two}"), "", &[]);
    check(&format!("[units]\nmax_units = 2\n{two}"), "models[a].min_inference_units", &["is 3", "`units.max_units`"]);
    check(&two, "", &[]);
    let disabled =
        [model("a", "min_inference_units = 3"), model("b", "min_inference_units = 2\nenabled = false")].concat();
    check(&format!("[units]\nmax_units = 4\nmax_models = 1\n{disabled}"), "", &[]);
    check(&format!("[units]\nmax_models = 1\n{two}"), "units.max_models", &["is 1", "2 models", "enabled = false"]);
}

#[test]
fn two_servers_on_one_port_are_refused() {
    let keys = "[[access_keys]]\naccess_key_id = \"KEY\"\nsecret = \"a secret of some length\"\nrole = \"operator\"\n";
    let both = |address: &str, port: u16| {
        format!("{keys}[http]\nport = 8480\npublic_address = \"{address}\"\npublic_port = {port}\n")
    };
    check(&both("0.0.0.0", 8480), "http.public_port", &["http.port"]);
    check(&both("127.0.0.1", 8480), "http.public_port", &["http.port"]);
    check(&both("192.0.2.1", 8480), "", &[]);
    check(&both("0.0.0.0", 8443), "", &[]);
    let cluster = |agent: &str, peers: &str| {
        format!(
            "[cluster]\nname = \"hall\"\nendpoints = [\"http://127.0.0.1:2379\"]\nagent_listen = \"{agent}\"\n\
             [cluster.peers]\nlisten = \"{peers}\"\ncertificate_file = \"/dev/null\"\nkey_file = \"/dev/null\"\nca_file = \"/dev/null\"\n"
        )
    };
    check(&cluster("127.0.0.1:8480", "127.0.0.1:8445"), "cluster.agent_listen", &["http.port"]);
    check(&cluster("0.0.0.0:8445", "127.0.0.1:8445"), "cluster.peers.listen", &["cluster.agent_listen"]);
    check(&cluster("127.0.0.2:8445", "127.0.0.1:8445"), "", &[]);
    check(&format!("[http]\nenabled = false\n{}", cluster("127.0.0.1:8480", "127.0.0.1:8445")), "", &[]);
}

#[test]
fn monitoring_beyond_loopback_needs_a_long_token_and_a_port_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(home.path().join(name), text).unwrap();
        format!("monitoring_token_file = \"{}\"\n", home.path().join(name).display())
    };
    let address = "[http]\nmonitoring_address = \"0.0.0.0\"\n";
    let (good, short) = (file("good", "0123456789abcdef\n"), file("short", "0123456789\n"));
    let key = "http.monitoring_token_file";
    check(address, key, &["missing", "monitoring_address"]);
    check(&format!("{address}{short}"), key, &["at least 16"]);
    check(&format!("{address}monitoring_token_file = \"/nowhere/token\"\n"), key, &["/nowhere/token cannot be read"]);
    check(&format!("{address}{good}"), "", &[]);
    check(&format!("{address}{good}monitoring_port = 8480\n"), "http.monitoring_port", &["http.port"]);
    check(&format!("{address}{good}port = 9000\nmonitoring_port = 8480\n"), "", &[]);
    check(&short.replace("monitoring", "[http]\nmonitoring"), "", &[]);
}

#[test]
fn limits_that_refuse_or_lose_everything_are_refused() {
    check("[mqtt]\ndetections_expire_seconds = 0", "mqtt.detections_expire_seconds", &["is 0", "1 to 86400"]);
    let key = "rekognition.max_clock_skew_seconds";
    check("[rekognition]\nmax_clock_skew_seconds = 0", key, &["is 0", "10 to 86400"]);
}

#[test]
fn an_invalid_log_level_that_would_silence_the_log_is_refused() {
    let doubled = ["ocelli=loud=x", "ocelli=loud=debug", "info,ocelli::camera"];
    for level in ["inof", "ocelli", "ocelli=verbose", "", "=info", "ocelli camera=info"].iter().chain(&doubled) {
        check(&format!("[log]\nlevel = \"{level}\""), "log.level", &["error, warn, info"]);
    }
    for level in ["info", "OFF", "info,ocelli::camera=debug", "warn, ocelli=trace"] {
        check(&format!("[log]\nlevel = \"{level}\""), "log.level", &[]);
    }
}

#[test]
fn a_broker_is_a_name_or_an_address() {
    for host in ["", "mqtt://broker"] {
        check(&format!("[mqtt]\nhost = \"{host}\""), "mqtt.host", &["mqtt.port"]);
    }
    check("[mqtt]\nenabled = false\nhost = \"\"", "mqtt.host", &[]);
}

#[test]
fn a_password_that_breaks_its_url_is_a_mistake_that_does_not_show_it() {
    let url = |url: &str| format!("[[cameras]]\nid = \"yard\"\nurl = \"{url}\"");
    let key = "cameras[yard].url";
    for broken in ["rtsp://admin:sec/ret@10.0.0.5:554/x", "rtsp://admin:s3c?ret@10.0.0.5/x"] {
        check(&url(broken), key, &["%2F", "credentials"]);
        let mistakes = mistakes(&url(broken));
        assert!(!mistakes[0].what.contains("sec") && !mistakes[0].what.contains("s3c"), "{mistakes:?}");
    }
    for good in ["rtsp://[fd00::1]:8554/x", "rtsp://[fd00::1]/x", "rtsp://cam", "rtsps://u:p%2F@cam:322/x?a=b:c"] {
        check(&url(good), key, &[]);
    }
    for bad in ["rtsp://", "rtsp:///x", "rtsp://:554/x", "ftp://cam/"] {
        check(&url(bad), key, &["rtsp://host[:port]/path"]);
    }
}

#[test]
fn mistakes_are_described_without_words_of_the_programming_language() {
    for (text, key, words) in [
        ("[log]\nformat = \"xml\"", "log.format", ["`human` or `json`", "xml"]),
        ("[mqtt]\nprotocol = \"4\"", "mqtt.protocol", ["`5` or `3.1.1`", "4"]),
        ("[sandbox]\nmode = \"on\"", "sandbox.mode", ["`best-effort`", "on"]),
        ("[http]\nport = 99999", "http.port", ["from 0 to 65535", "99999"]),
        ("[snapshots]\nquality = 500", "snapshots.quality", ["20 to 95", "500"]),
        ("[mqtt]\nport = \"many\"", "mqtt.port", ["many", "1 to 65535"]),
        ("[[models]]\nname = \"m\"\ntps_limit = \"much\"", "models[m].tps_limit", ["number", "\"auto\""]),
    ] {
        check(text, key, &words);
        let what = &mistakes(text)[0].what;
        assert!(
            !["enum", "variant constructor", "bit", "invalid type"].iter().any(|word| what.contains(word)),
            "{what}"
        );
    }
}

#[test]
fn a_duplicate_name_is_reported_with_both_entries() {
    let text = [model("a", ""), model("b", ""), model("a", "")].concat();
    check(&text, "models[a].name", &["`a`", "models[a] in "]);
}
