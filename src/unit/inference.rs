//! Runs a session on the input tensor and splits the outputs by picture.

use crate::ipc::quantize_messages::Observed;
use crate::model::manifest::Manifest;
use crate::unit::input_tensor::{InputTensor, Values};
use crate::unit::load_error::LoadError;
use crate::unit::main_loop::NotFound;
use crate::unit::model_outlets;
use crate::unit::quantization::Observation;
use crate::unit::tensor_decoders::Tensor;
use crate::vision::outcome::FailureCause;
use half::f16;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType};
use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

/// A batch is used if its time per picture is at most this share of that of half the batch: batching adds latency.
const WORTH_A_BATCH: f64 = 0.95;

/// Runs per batch size. The fastest counts, because a box is busy while it starts.
const MEASURED_RUNS: usize = 3;

/// A session with its input tensor.
#[derive(Debug)]
pub(super) struct Inference {
    session: Session,
    input: InputTensor,
    input_name: String,
    /// Shape of the input without the batch axis.
    picture_shape: [usize; 3],
    output_names: Vec<String>,
    /// Name and values of the second input of layouts that scale boxes in the graph: width and height per picture.
    sizes: Option<(String, Vec<i64>)>,
    /// The batch size, if the graph fixes it.
    fixed_batch: Option<usize>,
    batch: usize,
    /// What is seen of the values between convolutions, while a model is quantised.
    observation: Option<Observation>,
}

impl Inference {
    /// Checks the session against the manifest and allocates the input.
    ///
    /// # Errors
    /// As [`model_outlets::check`].
    pub(super) fn new(session: Session, manifest: &Manifest, path: &Path, max_batch: usize) -> Result<Self, LoadError> {
        let fixed_batch = model_outlets::check(&session, manifest, path)?;
        let most = if manifest.output.takes_batches() { max_batch } else { 1 };
        let batch = fixed_batch.unwrap_or(most);
        let [_, a, b, c] = manifest.input.shape(1);
        let size = [i64::from(manifest.input.width), i64::from(manifest.input.height)];
        let sizes = manifest.output.sizes_input().map(|name| (name.to_owned(), size.repeat(batch)));
        Ok(Self {
            input: InputTensor::new(&manifest.input, batch),
            input_name: manifest.input.tensor.clone(),
            picture_shape: [a, b, c],
            output_names: manifest.output.tensors().into_iter().map(str::to_owned).collect(),
            sizes,
            fixed_batch,
            batch,
            observation: None,
            session,
        })
    }

    /// Begins to observe the outputs that show the values between convolutions.
    pub(super) fn observe(&mut self) {
        self.observation = Observation::of(self.session.outputs().iter().map(Outlet::name));
    }

    /// What was observed.
    pub(super) fn observed(&self) -> Vec<Observed> {
        self.observation.as_ref().map(Observation::observed).unwrap_or_default()
    }

    /// The most pictures per run.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// Writes a picture, interleaved RGB of the input's size, to place `item` of the batch.
    pub(super) fn write(&mut self, item: usize, rgb: &[u8]) {
        self.input.write(item, rgb);
    }

    /// Doubles the batch size while that reduces the time per picture, and keeps the last size that did.
    ///
    /// # Errors
    /// When a run fails. Some graphs declare a variable batch size, but do not support it.
    pub(super) fn choose_batch(&mut self) -> Result<(), NotFound> {
        if self.fixed_batch.is_some() {
            return Ok(());
        }
        let (mut best, mut best_time) = (1, self.time_of_one(1)?);
        let mut batch = 2;
        while batch <= self.batch {
            let time = self.time_of_one(batch)?;
            if time.as_secs_f64() > best_time.as_secs_f64() * WORTH_A_BATCH {
                break;
            }
            (best, best_time) = (batch, time);
            batch *= 2;
        }
        if self.batch > 1 {
            let most = self.batch;
            tracing::info!(batch = best, most, time_of_one_us = best_time.as_micros(), "the batch size was chosen");
        }
        self.batch = best;
        Ok(())
    }

    fn time_of_one(&mut self, batch: usize) -> Result<Duration, NotFound> {
        if self.batch == 1 {
            return Ok(Duration::ZERO);
        }
        let mut fastest = Duration::MAX;
        for _ in 0..MEASURED_RUNS {
            let started = Instant::now();
            self.run(batch, |_, _| ())?;
            fastest = fastest.min(started.elapsed());
        }
        Ok(fastest / u32::try_from(batch).unwrap_or(u32::MAX))
    }

    /// Runs inference on the first `items` pictures and calls `read` with the index and outputs of each.
    ///
    /// # Errors
    /// When ONNX Runtime fails, or an output is missing or has an unsupported type or batch size.
    pub(super) fn run(&mut self, items: usize, mut read: impl FnMut(usize, &[Tensor<'_>])) -> Result<(), NotFound> {
        let failed = |error: ort::Error| NotFound::new(FailureCause::InferenceError, error);
        let batch = self.fixed_batch.unwrap_or(items);
        let [a, b, c] = self.picture_shape;
        let (shape, length) = ([batch, a, b, c], batch * a * b * c);
        let picture: SessionInputValue<'_> = match self.input.values() {
            Values::Float32(values) => TensorRef::from_array_view((shape, &values[..length])).map_err(failed)?.into(),
            Values::Float16(values) => TensorRef::from_array_view((shape, &values[..length])).map_err(failed)?.into(),
            Values::Uint8(values) => TensorRef::from_array_view((shape, &values[..length])).map_err(failed)?.into(),
        };
        let mut inputs = vec![(self.input_name.as_str(), picture)];
        if let Some((name, sizes)) = &self.sizes {
            let sizes = TensorRef::from_array_view(([batch, 2], &sizes[..2 * batch])).map_err(failed)?;
            inputs.push((name.as_str(), sizes.into()));
        }
        let outputs = self.session.run(inputs).map_err(failed)?;
        let mut tensors = Vec::with_capacity(self.output_names.len());
        for name in &self.output_names {
            let value = outputs.get(name);
            tensors.push(Output::of(value.ok_or_else(|| missing(name))?, batch)?);
        }
        for item in 0..items {
            let of_item: Vec<Tensor<'_>> = tensors.iter().map(|output| output.of_item(item, batch)).collect();
            read(item, &of_item);
        }
        if let Some(observation) = &mut self.observation {
            let mut seen = Vec::new();
            for (place, name) in observation.names() {
                seen.push((place, Output::of(outputs.get(name).ok_or_else(|| missing(name))?, batch)?));
            }
            seen.iter().for_each(|(place, output)| observation.add(*place, &output.values));
        }
        Ok(())
    }
}

fn missing(name: &str) -> NotFound {
    NotFound::new(FailureCause::InvalidOutput, format!("no output `{name}`"))
}

/// The values of an output as float32, borrowed if they have that type.
struct Output<'a> {
    /// Shape of one picture's part, with a batch size of 1.
    item_shape: Vec<i64>,
    /// The values of all pictures, in order.
    values: Cow<'a, [f32]>,
}

impl<'a> Output<'a> {
    #[expect(clippy::cast_precision_loss, reason = "classes and counts are far below 2^24")]
    fn of(value: &'a DynValue, batch: usize) -> Result<Self, NotFound> {
        let wrong = |error: ort::Error| NotFound::new(FailureCause::InvalidOutput, error);
        let ValueType::Tensor { ty, .. } = value.dtype() else {
            return Err(NotFound::new(FailureCause::InvalidOutput, "an output is not a tensor"));
        };
        let (shape, values): (_, Cow<'a, [f32]>) = match ty {
            TensorElementType::Float32 => {
                let (shape, values) = value.try_extract_tensor::<f32>().map_err(wrong)?;
                (shape, values.into())
            }
            TensorElementType::Float16 => {
                let (shape, values) = value.try_extract_tensor::<f16>().map_err(wrong)?;
                (shape, values.iter().map(|value| value.to_f32()).collect())
            }
            TensorElementType::Int64 => {
                let (shape, values) = value.try_extract_tensor::<i64>().map_err(wrong)?;
                (shape, values.iter().map(|value| *value as f32).collect())
            }
            TensorElementType::Int32 => {
                let (shape, values) = value.try_extract_tensor::<i32>().map_err(wrong)?;
                (shape, values.iter().map(|value| *value as f32).collect())
            }
            other => return Err(NotFound::new(FailureCause::InvalidOutput, format!("an output has type {other}"))),
        };
        let mut item_shape = shape.to_vec();
        if batch > 1 {
            let first = item_shape.first_mut().filter(|first| usize::try_from(**first) == Ok(batch));
            let no_batch = || NotFound::new(FailureCause::InvalidOutput, "an output's batch size is not the input's");
            *first.ok_or_else(no_batch)? = 1;
        }
        Ok(Self { item_shape, values })
    }

    /// The part of one picture, shaped as if it were the only one of the batch.
    fn of_item(&self, item: usize, batch: usize) -> Tensor<'_> {
        let length = self.values.len() / batch;
        Tensor { shape: &self.item_shape, values: &self.values[item * length..(item + 1) * length] }
    }
}
