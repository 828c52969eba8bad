//! The suites of all clients. Each has a box of its own, with real units and packages, behind a relay that judges its responses.

use crate::python;
use crate::relay::{Relay, Verdict};
use crate::report::Figure;
use crate::support::aws::AwsBox;
use crate::support::{free_port, from_setup, root, wait_for};
use std::process::Command;
use std::time::Duration;

/// boto3 beside that of the tests, as `setup/requirements-boto3-*.txt` names it.
const OTHER_BOTO3: [&str; 5] = ["1.26.0", "1.29.0", "1.34.0", "1.36.0", "1.40.0"];

/// Checks that passed and all checks of a suite.
struct Tally {
    passed: usize,
    all: usize,
}

/// What a suite needs of the box.
#[derive(Clone, Copy)]
enum Needs {
    Calls,
    /// Objects, and a public address.
    Objects,
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clients = |path: &str| from_setup(&format!(".setup/clients/{path}"));
    let cli = |aws: std::path::PathBuf, error_code: &str| python("cli_suite.py", &[aws.to_str().unwrap(), error_code]);
    let javascript = |suite: &str| {
        let mut command = Command::new("node");
        command.arg(root().join("tests/conformance").join(suite)).env("OCELLI_NODE_MODULES", clients("node_modules"));
        command
    };
    let mut suites: Vec<(String, Needs, Command)> = Vec::new();
    let mut boto3 = |version: &str, packages: Option<std::path::PathBuf>| {
        for (part, needs, script) in [
            ("Rekognition", Needs::Calls, "boto3_suite"),
            ("S3", Needs::Objects, "s3_suite"),
            ("scripts with S3Object", Needs::Calls, "guide_suite.py"),
        ] {
            let mut command = python(script, &[]);
            // Before those of the tests.
            command.envs(packages.iter().map(|path| ("PYTHONPATH", path)));
            suites.push((format!("conformance: boto3 {version}, {part}"), needs, command));
        }
    };
    boto3("1.44", None);
    for version in OTHER_BOTO3 {
        boto3(version, Some(clients(&format!("boto3-{version}"))));
    }
    suites.extend([
        ("conformance: AWS CLI 1.46".to_owned(), Needs::Calls, cli(clients("cli/bin/aws"), "255")),
        ("conformance: AWS CLI 2 of Debian".to_owned(), Needs::Calls, cli("/usr/bin/aws".into(), "254")),
        ("conformance: SDK for JavaScript 3.940".to_owned(), Needs::Calls, javascript("js_suite.mjs")),
        ("conformance: SDK for JavaScript 2.1693".to_owned(), Needs::Calls, javascript("js2_suite.js")),
        ("conformance: SDK for Go 1 of Debian".to_owned(), Needs::Calls, built("target/go_suite/go_suite")),
        ("conformance: SDK for Rust 1.123".to_owned(), Needs::Calls, built("target/rust_suite/debug/rust_suite")),
    ]);
    let mut all = Verdict::default();
    for (name, needs, command) in suites {
        println!("{name} ...");
        let (tally, verdict) = run(needs, command);
        let value = tally.passed as f64 / tally.all.max(1) as f64;
        println!("{name}: {} of {} checks passed, {} responses", tally.passed, tally.all, verdict.responses);
        let method = "checks that passed of all; each suite against a daemon of its own, with real units and packages";
        figures.push(Figure { name: name.leak(), value, unit: "ratio", bar: Some(1.0), method });
        all.responses += verdict.responses;
        all.wrong += verdict.wrong;
    }
    let method = "responses of all suites over plain HTTP that differ from botocore's service models of Rekognition and S3: \
                  members, types, bounds, patterns, errors of the operation";
    figures.push(Figure {
        name: "conformance: responses unlike the service models",
        value: if all.responses == 0 { f64::NAN } else { all.wrong as f64 },
        unit: "",
        bar: Some(0.0),
        method,
    });
    let (name, value) = ("  responses judged", all.responses as f64);
    figures.push(Figure { name, value, unit: "", bar: None, method });
}

fn built(path: &str) -> Command {
    Command::new(from_setup(path))
}

/// Runs a suite, shows what it prints, and counts its checks: `PASS` and `FAIL` lines, or those of unittest.
fn run(needs: Needs, mut command: Command) -> (Tally, Verdict) {
    let aws = match needs {
        Needs::Calls => AwsBox::start(),
        Needs::Objects => with_public_address(&mut command),
    };
    let relay = Relay::start(aws.daemon.http_port());
    let output = command.envs(aws.environment()).env("OCELLI_ENDPOINT", relay.endpoint()).output().unwrap();
    let verdict = relay.end();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let is_passed = |line: &&str| line.starts_with("PASS ") || line.ends_with("... ok");
    let is_failed =
        |line: &&str| line.starts_with("FAIL ") || line.ends_with("... FAIL") || line.ends_with("... ERROR");
    let (passed, failed) = (text.lines().filter(is_passed).count(), text.lines().filter(is_failed).count());
    for line in text.lines().filter(|line| is_passed(line) || is_failed(line)) {
        println!("  {line}");
    }
    if !output.status.success() {
        println!("{text}");
    }
    // A suite that ended early has not passed what it did not come to.
    let early = usize::from(!output.status.success() && failed == 0);
    (Tally { passed, all: passed + failed + early }, verdict)
}

fn with_public_address(command: &mut Command) -> AwsBox {
    let port = free_port();
    let aws = AwsBox::start_objects(port);
    let certificate = aws.daemon.home().join("state/tls/certificate.pem");
    wait_for("the certificate", Duration::from_secs(10), || certificate.exists().then_some(()));
    wait_for("the public port", Duration::from_secs(10), || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    command.env("OCELLI_PUBLIC", format!("https://localhost:{port}")).env("OCELLI_CERTIFICATE", certificate);
    aws
}
