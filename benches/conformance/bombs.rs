//! Pictures that are made to hurt: that all are refused rightly, and what the worst of them costs.

use crate::python;
use crate::report::Figure;
use crate::support::aws::AwsBox;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    println!("bombs ...");
    let aws = AwsBox::start_unsigned();
    let output = python("bombs.py", &[]).envs(aws.environment()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    let worst = text.lines().rfind(|line| line.starts_with('{')).unwrap_or("{}");
    let worst: serde_json::Value = serde_json::from_str(worst).unwrap();
    let number = |key: &str| worst[key].as_f64().unwrap_or(f64::NAN);
    let passed = text.lines().filter(|line| line.starts_with("PASS ")).count() as f64;
    let method = "pictures made to hurt, each sent as an API call; refused with the right error, a good call answered as \
                  before right after it, no process lost";
    figures.push(Figure {
        name: "bombs: refused rightly",
        value: passed / number("bombs"),
        unit: "ratio",
        bar: Some(1.0),
        method,
    });
    let method = "user and system time of the daemon and its children for one bomb";
    figures.push(Figure {
        name: "bombs: most processor time",
        value: number("cpu_seconds"),
        unit: "s",
        bar: Some(1.2),
        method,
    });
    let method = "peak resident memory of the daemon and its children above what they had before one bomb";
    figures.push(Figure {
        name: "bombs: most memory",
        value: number("memory_mb"),
        unit: "MB",
        bar: Some(64.0),
        method,
    });
}
