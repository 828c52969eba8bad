//! Models that mean harm: small classifiers with something beside.

use super::mutation::Dice;
use crate::support::protobuf::{field, value, varint};
use crate::support::small_model::{elsewhere, model_with, node, node_with, whole_weights};

/// Of floats: 2 GiB.
const CLAIMED: u64 = 1 << 29;
/// Of floats: 256 GiB.
const BOMB: u64 = 1 << 36;

/// The bytes of a model.
pub fn model_of(mode: &str) -> Vec<u8> {
    match mode {
        "claimed-weights" => {
            let claimed = [value(1, CLAIMED), value(2, 1), field(8, b"u"), field(9, &[0; 64])].concat();
            let weights = [field(5, &whole_weights()), field(5, &claimed)].concat();
            model_with(&weights, &node_with("ReduceMean", &["u"], &["more"], &without_sizes()))
        }
        "weights-elsewhere" => elsewhere("../../../../../../etc/passwd"),
        "garbage" => {
            let mut dice = Dice::new(11);
            (0..4 << 20).map(|_| dice.byte()).collect()
        }
        "memory-when-loaded" => {
            let nodes = [node("ConstantOfShape", &["n"], "big"), mean_of_big()].concat();
            model_with(&weights_and("n", BOMB), &nodes)
        }
        "memory-at-work" => {
            let nodes =
                [one_at_work(), node("Mul", &["one", "n"], "m"), node("ConstantOfShape", &["m"], "big"), mean_of_big()];
            model_with(&weights_and("n", BOMB), &nodes.concat())
        }
        "tensor-that-doubles" => {
            let body = [
                node("Identity", &["on"], "still_on"),
                node_with("Concat", &["grown", "grown"], &["larger"], &number("axis", 0)),
            ];
            growing(&body.concat())
        }
        "endless-loop" => {
            let body = [node("Identity", &["on"], "still_on"), node("Sin", &["grown"], "larger")];
            growing(&body.concat())
        }
        "deep-branches" => {
            let yes = node_with("Cast", &["one"], &["yes"], &number("to", 9));
            let mut inner = node("Identity", &["p"], "more");
            for _ in 0..3_000 {
                let branch = [inner, field(2, b"b"), output("more")].concat();
                let branches = [graph("then_branch", &branch), graph("else_branch", &branch[..0])].concat();
                inner = node_with("If", &["yes"], &["more"], &branches);
            }
            model_with(&weights_and("n", 1), &[one_at_work(), yes, inner].concat())
        }
        "many-nodes" => {
            let names: Vec<String> = (0..300_000).map(|number| format!("v{number}")).collect();
            let mut nodes = node("Sin", &["p"], &names[0]);
            names.windows(2).for_each(|pair| nodes.extend(node("Sin", &[&pair[0]], &pair[1])));
            nodes.extend(node("Identity", &[names.last().unwrap()], "more"));
            model_with(&weights_and("n", 1), &nodes)
        }
        "long-name" => {
            let name = "n".repeat(16 << 20);
            let nodes = [node("Sin", &["p"], &name), node("Identity", &[&name], "more")].concat();
            model_with(&weights_and("n", 1), &nodes)
        }
        _ => panic!("no such mode: {mode}"),
    }
}

/// The weights, and a tensor with one whole number.
fn weights_and(name: &str, of: u64) -> Vec<u8> {
    let one = [value(1, 1), value(2, 7), field(7, &varint(of)), field(8, name.as_bytes())].concat();
    [field(5, &whole_weights()), field(5, &one)].concat()
}

/// A tensor `one` with a 1 in it that nobody knows before a picture is there.
fn one_at_work() -> Vec<u8> {
    [
        node_with("ReduceMax", &["x"], &["most"], &without_sizes()),
        node("Mul", &["most", "most"], "square"),
        node_with("Cast", &["square"], &["whole"], &number("to", 7)),
        node("Sub", &["whole", "whole"], "zero"),
        node("Add", &["zero", "n"], "some"),
        node("Div", &["some", "n"], "one"),
    ]
    .concat()
}

fn mean_of_big() -> Vec<u8> {
    node_with("ReduceMean", &["big"], &["more"], &without_sizes())
}

/// A model with [`endless`] around this body in it.
fn growing(body: &[u8]) -> Vec<u8> {
    let nodes = [
        one_at_work(),
        node_with("Cast", &["one"], &["seed"], &number("to", 1)),
        endless(body, "seed", "big"),
        mean_of_big(),
    ];
    model_with(&weights_and("n", 1), &nodes.concat())
}

/// A loop without a limit around a body that makes `larger` of `grown`.
fn endless(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let input = |name: &str, kind: u64| {
        let tensor_type = value(1, kind);
        field(11, &[field(1, name.as_bytes()), field(2, &field(1, &tensor_type))].concat())
    };
    let output =
        |name: &str, kind: u64| field(12, &[field(1, name.as_bytes()), field(2, &field(1, &value(1, kind)))].concat());
    let body = [
        body.to_vec(),
        field(2, b"body"),
        input("round", 7),
        input("on", 9),
        input("grown", 1),
        output("still_on", 9),
        output("larger", 1),
    ];
    node_with("Loop", &["", "", from], &[to], &graph("body", &body.concat()))
}

fn output(name: &str) -> Vec<u8> {
    field(12, &[field(1, name.as_bytes()), field(2, &field(1, &value(1, 1)))].concat())
}

fn graph(name: &str, graph: &[u8]) -> Vec<u8> {
    field(5, &[field(1, name.as_bytes()), field(6, graph), value(20, 5)].concat())
}

fn number(name: &str, number: u64) -> Vec<u8> {
    field(5, &[field(1, name.as_bytes()), value(3, number), value(20, 2)].concat())
}

/// A sum over all gives a number.
fn without_sizes() -> Vec<u8> {
    number("keepdims", 0)
}
