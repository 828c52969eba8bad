//! How callers fare whom the box refuses, how long waiters wait, and what a call costs the daemon.

use crate::report::Figure;
use crate::support::aws::AwsBox;
use crate::{object_of, python};

/// The limit of the model, so that the rows do not depend on how fast this machine is.
const TPS: u32 = 10;
const CALLERS: &str = "30";
const ROUNDS: &str = "5";

fn number(object: &serde_json::Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or(f64::NAN)
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    hint(figures);
    sustained(figures);
    waiters(figures);
}

fn hint(figures: &mut Vec<Figure>) {
    for (name, aws) in [
        ("hint: of 30 callers at once who obey, failed (limit)", AwsBox::start_limited(TPS)),
        ("hint: of 30 callers at once who obey, failed (units)", AwsBox::start_unsigned()),
    ] {
        println!("{name} ...");
        let found = object_of(python("load/hint.py", &[CALLERS, ROUNDS]), &aws);
        let failed = found["failed"].as_array().unwrap().iter().filter_map(serde_json::Value::as_f64);
        let method = "30 calls at once, three attempts, each exactly after x-amz-retry-after; the worst of five rounds; with a \
                      limit of 10 TPS, or one unit without a limit";
        figures.push(Figure { name, value: failed.fold(0.0, f64::max), unit: "", bar: Some(1.0), method });
    }
}

fn sustained(figures: &mut Vec<Figure>) {
    for (name, mode) in [
        ("retries: boto3 standard, 16 callers, failed", "standard"),
        ("retries: boto3 adaptive, 16 callers, failed", "adaptive"),
        ("retries: boto3 legacy, 16 callers, failed", "legacy"),
    ] {
        println!("{name} ...");
        let found = object_of(python("load/sustained.py", &[mode, "16", "40"]), &AwsBox::start_limited(TPS));
        let value = 100.0 * number(&found, "failed") / number(&found, "calls");
        let method = "16 callers that call again as soon as they are answered, 40 s, a limit of 10 TPS, the attempts of the mode";
        figures.push(Figure { name, value, unit: "%", bar: Some(3.0), method });
    }
}

fn waiters(figures: &mut Vec<Figure>) {
    println!("waiters ...");
    let found = object_of(python("load/waiters.py", &[]), &AwsBox::start());
    let method = "from the call to the end of boto3's waiter as it is, which asks at once and then after 30 or 120 s";
    for (name, key) in [
        ("waiters: from CreateProjectVersion to TRAINING_COMPLETED", "imported"),
        ("waiters: from StartProjectVersion to RUNNING", "started"),
        ("waiters: from StartProjectVersion to the first answer", "used"),
    ] {
        figures.push(Figure { name, value: number(&found, key), unit: "s", bar: Some(10.0), method });
    }
}

pub(crate) fn measure_overhead(figures: &mut Vec<Figure>) {
    println!("overhead ...");
    let found = object_of(python("load/overhead.py", &["200"]), &AwsBox::start_signed());
    let method = "processor time of the daemon's own process for a signed DetectCustomLabels, less that of an idle one: decoding and \
                  inference are done by units; 200 calls one after the other over plain HTTP";
    for (name, key, bar) in [
        ("call of 50 kB: processor time of the daemon", "small", 0.5),
        ("call of 3.8 MB: processor time of the daemon", "large", 8.0),
    ] {
        figures.push(Figure { name, value: number(&found, key), unit: "ms", bar: Some(bar), method });
    }
}
