//! The vectors of the RFCs, and the ways of cameras.

use super::*;

fn login(user: &str, password: &str) -> Login {
    Login::new(Some(Credentials { user: user.into(), password: password.into() }), true)
}

fn admin() -> Login {
    login("admin", "right")
}

fn headers(headers: &[&str]) -> Vec<String> {
    headers.iter().map(|header| (*header).to_owned()).collect()
}

fn field<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.split_once(&format!("{name}=\"")).unwrap().1.split_once('"').unwrap().0
}

#[test]
fn the_answer_is_that_of_rfc_2617() {
    let mut login = login("Mufasa", "Circle Of Life");
    let challenge = r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    assert_eq!(login.refused(&headers(&[challenge]), false), Next::Again);
    let answer = login.answer_with("GET", "/dir/index.html", "0a4f113b").unwrap();
    assert_eq!(field(&answer, "response"), "6629fae49393a05397450978507c4ef1");
    assert_eq!(field(&answer, "opaque"), "5ccc069c403ebaf9f0171e9517f40e41");
    assert!(answer.contains("nc=00000001"), "{answer}");
}

#[test]
fn the_answer_is_that_of_rfc_7616_in_both_algorithms() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let mut login = login("Mufasa", "Circle of Life");
        let challenge = format!(
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        );
        assert_eq!(login.refused(&headers(&[&challenge]), false), Next::Again);
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let answer = login.answer_with("GET", "/dir/index.html", cnonce).unwrap();
        assert_eq!(field(&answer, "response"), response);
        assert!(answer.contains(&format!("algorithm={algorithm}")), "{answer}");
    }
}

#[test]
fn without_qop_the_older_form_is_meant_and_the_algorithm_is_named_if_the_camera_named_it() {
    let mut login = admin();
    login.refused(&headers(&[r#"Digest realm="IP Cam", nonce="1f""#]), false);
    let answer = login.answer("DESCRIBE", "rtsp://10.0.0.5/x").unwrap();
    assert!(!answer.contains("algorithm") && !answer.contains("qop") && !answer.contains("cnonce"), "{answer}");
    // md5("md5(admin:IP Cam:right):1f:md5(DESCRIBE:rtsp://10.0.0.5/x)"), by md5sum.
    assert_eq!(field(&answer, "response"), "f70c04b84db335bf3a6f9f247ce58332");
    login = admin();
    login.refused(&headers(&[r#"Digest realm="IP Cam", nonce="1f", algorithm="SHA-256""#]), false);
    assert!(login.answer("DESCRIBE", "rtsp://10.0.0.5/x").unwrap().contains("algorithm=SHA-256"));
}

#[test]
fn a_wrong_login_is_answered_once() {
    let mut login = admin();
    assert_eq!(login.answer("DESCRIBE", "x"), None, "nobody has asked");
    assert_eq!(login.refused(&headers(&[r#"Digest realm="a", nonce="1""#]), false), Next::Again);
    assert!(login.answer("DESCRIBE", "x").is_some());
    // Each refusal of these cameras has a new nonce, which makes it no better.
    let refusal = login.refused(&headers(&[r#"Digest realm="a", nonce="2""#]), true);
    assert_eq!(refusal, Next::GiveUp(Refusal::Wrong));
    assert_eq!(login.answer("TEARDOWN", "x"), None, "not even on leaving");
    assert_eq!(login.refused(&headers(&[r#"Digest realm="a", nonce="3""#]), false), Next::GiveUp(Refusal::Wrong));
}

#[test]
fn a_nonce_that_ran_out_is_no_refusal() {
    let mut login = admin();
    login.refused(&headers(&[r#"Digest realm="a", nonce="1""#]), false);
    login.answer("DESCRIBE", "x");
    assert_eq!(login.refused(&headers(&[r#"Digest realm="a", nonce="2", stale=TRUE"#]), true), Next::Again);
    assert!(login.answer("DESCRIBE", "x").unwrap().contains("nonce=\"2\""));
    login.accepted();
    // Without the word, after a success: once.
    assert_eq!(login.refused(&headers(&[r#"Digest realm="a", nonce="3""#]), true), Next::Again);
    assert_eq!(login.refused(&headers(&[r#"Digest realm="a", nonce="4""#]), true), Next::GiveUp(Refusal::Wrong));
}

#[test]
fn a_camera_that_calls_every_nonce_stale_is_not_answered_for_ever() {
    let mut login = admin();
    login.refused(&headers(&[r#"Digest realm="a", nonce="0""#]), false);
    let challenge = |nonce: u32| headers(&[&format!(r#"Digest realm="a", nonce="{nonce}", stale=true"#)]);
    let answers = (1..100).take_while(|nonce| login.refused(&challenge(*nonce), true) == Next::Again).count();
    assert_eq!(answers, MAX_RENEWALS as usize);
}

#[test]
fn the_first_digest_that_is_known_is_answered_and_basic_only_if_there_is_none() {
    let chosen = |challenges: &[&str]| {
        let mut login = admin();
        login.refused(&headers(challenges), false);
        login.answer("DESCRIBE", "x").unwrap()
    };
    let (sha, md5) =
        (r#"Digest realm="a", nonce="1", algorithm=SHA-256"#, r#"Digest realm="a", nonce="1", algorithm=MD5"#);
    assert!(chosen(&[sha, md5]).contains("SHA-256"));
    assert!(chosen(&[md5, sha]).contains("MD5"));
    assert!(chosen(&[r#"Digest realm="a", nonce="1", algorithm=SHA-256-sess"#, md5]).contains("MD5"));
    assert!(chosen(&[r#"Basic realm="a""#, md5]).starts_with("Digest"));
    assert!(chosen(&[&format!(r#"Basic realm="a", {md5}"#)]).starts_with("Digest"));
    assert_eq!(chosen(&[r#"Basic realm="a""#]), "Basic YWRtaW46cmlnaHQ=");
}

#[test]
fn what_cannot_be_answered_says_why() {
    let refusal = |login: &mut Login, challenges: &[&str]| login.refused(&headers(challenges), false);
    let basic = r#"Basic realm="a""#;
    assert_eq!(refusal(&mut Login::new(None, true), &[basic]), Next::GiveUp(Refusal::NoCredentials));
    let credentials = Credentials { user: "a".into(), password: "b".into() };
    let mut forbidding = Login::new(Some(credentials), false);
    assert_eq!(refusal(&mut forbidding, &[basic]), Next::GiveUp(Refusal::BasicForbidden));
    let unknown = refusal(&mut admin(), &[r#"Hawk ts="1""#, r#"Digest realm="a", nonce="1", qop="auth-int""#]);
    assert_eq!(unknown, Next::GiveUp(Refusal::UnknownScheme("Hawk, Digest".into())));
    assert!(matches!(refusal(&mut admin(), &[]), Next::GiveUp(Refusal::UnknownScheme(_))));
    assert!(matches!(refusal(&mut admin(), &["\u{1b}]0;,,,=="]), Next::GiveUp(Refusal::UnknownScheme(_))));
}

#[test]
fn quotes_in_names_are_escaped() {
    let mut login = login("a\"b\\", "c");
    login.refused(&headers(&[r#"Digest realm="r", nonce="1""#]), false);
    assert!(login.answer("DESCRIBE", "x").unwrap().contains(r#"username="a\"b\\""#));
}
