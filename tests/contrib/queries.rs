//! The queries of the board and of the alerts, and what they name.

use crate::support::root;
use std::collections::BTreeSet;

/// A metric in a query, with the labels that the query names beside it.
#[derive(Clone, Debug)]
pub struct Query {
    pub metric: String,
    /// Labels within its braces, with the values that are wanted (none: any).
    pub labels: Vec<(String, Vec<String>)>,
    /// Labels that the whole expression groups or joins by.
    pub groups: BTreeSet<String>,
}

/// Every expression of the board, its variables too.
pub fn board() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("contrib/grafana/ocelli.json")).unwrap();
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    let targets =
        board["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let variables = board["templating"]["list"].as_array().unwrap().iter();
    let variables = variables.filter_map(|variable| variable["query"]["query"].as_str().map(str::to_owned));
    expressions.chain(variables).collect()
}

/// Every expression of the alerts.
pub fn alerts() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("contrib/prometheus/ocelli.rules.yml")).unwrap();
    text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned).collect()
}

/// The metrics of boxes in an expression.
pub fn queries_of(expression: &str) -> Vec<Query> {
    let groups = groups_of(expression);
    let starts = expression.match_indices("ocelli_").map(|(at, _)| at);
    let is_whole =
        |at: &usize| !expression[..*at].ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    starts.filter(is_whole).map(|at| query_at(&expression[at..], &groups)).collect()
}

fn query_at(text: &str, groups: &BTreeSet<String>) -> Query {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    let (metric, rest) = text.split_at(end);
    let labels = match rest.strip_prefix('{') {
        Some(inside) => labels_of(inside.split('}').next().unwrap()),
        None => Vec::new(),
    };
    Query { metric: metric.to_owned(), labels, groups: groups.clone() }
}

fn labels_of(inside: &str) -> Vec<(String, Vec<String>)> {
    let pairs = inside.split(", ").filter(|pair| !pair.is_empty());
    let label = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("no label: {pair}"));
        let value = value.trim_start_matches('~').trim_matches('"');
        let values = if value.starts_with('$') { Vec::new() } else { value.split('|').map(str::to_owned).collect() };
        (name.to_owned(), values)
    };
    pairs.map(label).collect()
}

/// What stands in the parentheses after `by` and `on`.
fn groups_of(expression: &str) -> BTreeSet<String> {
    let after = [" by (", " on ("].into_iter().flat_map(|word| expression.split(word).skip(1));
    after.flat_map(|rest| rest.split(')').next().unwrap().split(", ")).map(str::to_owned).collect()
}
