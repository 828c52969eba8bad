//! ONNX files as exporters write them: the names, types, sizes and last operators of a family, and constants as values.
//!
//! Each output depends on the picture through a convolution with a weight of zero, so that the graph is what a detector
//! is: an input, layers with weights, and what follows them.

use super::protobuf::{field, value as number};

/// A graph under construction.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<u8>,
    constants: Vec<u8>,
    inputs: Vec<u8>,
    outputs: Vec<u8>,
    metadata: Vec<u8>,
    made: usize,
}

/// Values with their actual shape.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{shape:?}");
        Self { shape: shape.to_vec(), values }
    }

    /// The same value everywhere.
    pub fn all(shape: &[usize], value: f32) -> Self {
        Self::new(shape, vec![value; shape.iter().product()])
    }
}

impl Graph {
    /// A graph with this picture as its first input, written as `images float32 [1,3,640,640]`.
    pub fn of(picture: &str) -> Self {
        let mut graph = Self::default().input(picture);
        let (name, element, _) = parts(picture);
        let mut last = name.to_owned();
        if element != 1 {
            last = graph.node("Cast", &[&last], &[("to", 1)]);
        }
        let mean = graph.node("ReduceMean", &[&last], &[("keepdims", 0)]);
        let one = graph.shape(&[1, 1, 1, 1]);
        let pixel = graph.node("Reshape", &[&mean, &one], &[]);
        let weight = graph.constant(1, &[1, 1, 1, 1], &0.0_f32.to_le_bytes());
        let convolved = graph.node("Conv", &[&pixel, &weight], &[]);
        let flat = graph.shape(&[1]);
        let zero = graph.node("Reshape", &[&convolved, &flat], &[]);
        graph.rename(&zero, "zero");
        graph
    }

    /// A further input, which nothing uses.
    pub fn input(mut self, text: &str) -> Self {
        self.inputs.extend(field(11, &value_info(text)));
        self
    }

    /// An output with these values, declared as `output0 float32 [1,84,8400]`, after these operators of one input, or of
    /// a second one of 1 or 0, the last last.
    pub fn output(mut self, text: &str, tensor: &Tensor, operators: &[&str]) -> Self {
        let (name, element, _) = parts(text);
        let typed = self.node("Cast", &["zero"], &[("to", u64::from(element))]);
        let (from, to) = (self.shape(&[0]), self.shape(&[0]));
        let nothing = self.node("Slice", &[&typed, &from, &to], &[]);
        let mut values = tensor.values.clone();
        if operators.contains(&"Sigmoid") {
            values.iter_mut().for_each(|value| *value = logit(*value));
        }
        let bytes: Vec<u8> = match element {
            6 => values.iter().flat_map(|value| i32::try_from(whole(*value)).unwrap().to_le_bytes()).collect(),
            7 => values.iter().flat_map(|value| whole(*value).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        let flat = self.constant(element, &[values.len()], &bytes);
        let all = self.node("Concat", &[&nothing, &flat], &[("axis", 0)]);
        let shape = self.shape(&tensor.shape);
        let mut last = self.node("Reshape", &[&all, &shape], &[]);
        for operator in operators {
            last = match *operator {
                "Mul" | "Div" => {
                    let one = self.constant(1, &[1], &1.0_f32.to_le_bytes());
                    self.node(operator, &[&last, &one], &[])
                }
                _ => self.node(operator, &[&last], &[]),
            };
        }
        self.rename(&last, name);
        self.outputs.extend(field(12, &value_info(text)));
        self
    }

    /// A node of one input whose output nothing uses, as parts of a graph that is not made here have it.
    pub fn with(mut self, operator: &str) -> Self {
        self.node(operator, &["zero"], &[]);
        self
    }

    /// A suppression of one box, whose output nothing uses.
    pub fn with_nms(mut self) -> Self {
        let boxes = self.constant(1, &[1, 1, 4], &[0; 16]);
        let scores = self.constant(1, &[1, 1, 1], &[0; 4]);
        self.node("NonMaxSuppression", &[&boxes, &scores], &[]);
        self
    }

    pub fn noting(mut self, key: &str, value: &str) -> Self {
        self.metadata.extend(field(14, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat()));
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let graph = [&self.nodes[..], &field(2, b"graph"), &self.constants, &self.inputs, &self.outputs].concat();
        [number(1, 8), field(7, &graph), field(8, &number(2, 13)), self.metadata.clone()].concat()
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("made{}", self.made)
    }

    /// Gives a value a name of its own.
    fn rename(&mut self, from: &str, to: &str) {
        let node = [field(1, from.as_bytes()), field(2, to.as_bytes()), field(4, b"Identity")].concat();
        self.nodes.extend(field(1, &node));
    }

    /// Adds a node and returns the name of its output.
    fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, u64)]) -> String {
        let output = self.name();
        let mut node: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
        node.extend(field(2, output.as_bytes()));
        node.extend(field(4, operator.as_bytes()));
        for (name, value) in attributes {
            node.extend(field(5, &[field(1, name.as_bytes()), number(3, *value), number(20, 2)].concat()));
        }
        self.nodes.extend(field(1, &node));
        output
    }

    fn constant(&mut self, element: u8, shape: &[usize], bytes: &[u8]) -> String {
        let name = self.name();
        let dims: Vec<u8> = shape.iter().flat_map(|size| number(1, *size as u64)).collect();
        let tensor = [dims, number(2, element.into()), field(8, name.as_bytes()), field(9, bytes)].concat();
        self.constants.extend(field(5, &tensor));
        name
    }

    fn shape(&mut self, sizes: &[usize]) -> String {
        let bytes: Vec<u8> = sizes.iter().flat_map(|size| (*size as i64).to_le_bytes()).collect();
        self.constant(7, &[sizes.len()], &bytes)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "classes and counts are whole and small")]
fn whole(value: f32) -> i64 {
    value as i64
}

/// The value whose sigmoid is `value`; a score of 0 becomes one of a millionth.
fn logit(value: f32) -> f32 {
    let value = value.clamp(1e-6, 1.0 - 1e-6);
    (value / (1.0 - value)).ln()
}

/// Name, element type and sizes of `images float32 [1,3,height,width]`.
fn parts(text: &str) -> (&str, u8, Vec<&str>) {
    let words: Vec<&str> = text.split(' ').collect();
    let [name, element, shape] = words[..] else { panic!("{text}") };
    let element = match element {
        "float32" => 1,
        "uint8" => 2,
        "int32" => 6,
        "int64" => 7,
        other => panic!("{other}"),
    };
    (name, element, shape.trim_matches(['[', ']']).split(',').filter(|size| !size.is_empty()).collect())
}

fn value_info(text: &str) -> Vec<u8> {
    let (name, element, sizes) = parts(text);
    let size = |size: &str| match size.parse() {
        Ok(fixed) => number(1, fixed),
        Err(_) => field(2, size.as_bytes()),
    };
    let shape: Vec<u8> = sizes.into_iter().flat_map(|text| field(1, &size(text))).collect();
    let tensor_type = [number(1, element.into()), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor_type))].concat()
}
