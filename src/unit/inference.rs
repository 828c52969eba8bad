//! The run itself: a filled input tensor in, output tensors of each picture out.

use crate::model::manifest::Manifest;
use crate::unit::input_tensor::{InputTensor, Values};
use crate::unit::load_error::LoadError;
use crate::unit::main_loop::NotFound;
use crate::unit::model_outlets;
use crate::unit::tensor_decoders::Tensor;
use crate::vision::outcome::FailureCause;
use half::f16;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, TensorElementType, TensorRef, ValueType};
use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

/// A batch must make an item this much faster than one by one to be worth its delay.
const WORTH_A_BATCH: f64 = 0.95;

/// How many runs of a size are compared; the fastest counts, for a box that starts is busy.
const MEASURED_RUNS: usize = 3;

/// A session with its input.
#[derive(Debug)]
pub(super) struct Inference {
    session: Session,
    input: InputTensor,
    input_name: String,
    /// Of one picture, without the batch.
    picture_shape: [usize; 3],
    output_names: Vec<String>,
    /// The second input of layouts that scale boxes in the graph: width and height for each picture.
    sizes: Option<(String, Vec<i64>)>,
    /// The number of pictures that the graph is fixed to.
    fixed_batch: Option<usize>,
    batch: usize,
}

impl Inference {
    /// Checks the session against the manifest.
    ///
    /// # Errors
    /// [`LoadError::Tensor`] and [`LoadError::Shape`].
    pub(super) fn new(session: Session, manifest: &Manifest, path: &Path, max_batch: usize) -> Result<Self, LoadError> {
        let fixed_batch = model_outlets::check(&session, manifest, path)?;
        let batch = fixed_batch.unwrap_or(max_batch);
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
            session,
        })
    }

    /// How many pictures may be written before a run.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// Writes interleaved RGB of the input's size as the `item`th picture.
    pub(super) fn write(&mut self, item: usize, rgb: &[u8]) {
        self.input.write(item, rgb);
    }

    /// Keeps the largest batch that makes an item faster than the half of it does; one picture if none does.
    ///
    /// # Errors
    /// When a run fails: the graph says that it takes any batch, and does not.
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
            tracing::info!(batch = best, most, time_of_one_us = best_time.as_micros(), "batches were measured");
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

    /// Runs the first `items` pictures and hands the outputs of each to `read`.
    ///
    /// # Errors
    /// When ONNX Runtime fails, or an output is not there or not of numbers.
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
            let missing = || NotFound::new(FailureCause::InvalidOutput, format!("no output `{name}`"));
            tensors.push(Output::of(value.ok_or_else(missing)?, batch)?);
        }
        for item in 0..items {
            let of_item: Vec<Tensor<'_>> = tensors.iter().map(|output| output.of_item(item, batch)).collect();
            read(item, &of_item);
        }
        Ok(())
    }
}

/// The values of an output as float32, in place if they are.
struct Output<'a> {
    /// Of what belongs to one picture.
    item_shape: Vec<i64>,
    /// One picture after the other.
    values: Cow<'a, [f32]>,
}

impl<'a> Output<'a> {
    #[expect(clippy::cast_precision_loss, reason = "classes and counts are far below 2^24")]
    fn of(value: &'a DynValue, batch: usize) -> Result<Self, NotFound> {
        let wrong = |error: ort::Error| NotFound::new(FailureCause::InvalidOutput, error);
        let ValueType::Tensor { ty, .. } = value.dtype() else {
            return Err(NotFound::new(FailureCause::InvalidOutput, "an output is no tensor"));
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
            other => return Err(NotFound::new(FailureCause::InvalidOutput, format!("an output of {other}"))),
        };
        let mut item_shape = shape.to_vec();
        if batch > 1 {
            let first = item_shape.first_mut().filter(|first| usize::try_from(**first) == Ok(batch));
            let no_batch = || NotFound::new(FailureCause::InvalidOutput, "an output has another batch than the input");
            *first.ok_or_else(no_batch)? = 1;
        }
        Ok(Self { item_shape, values })
    }

    /// What belongs to one picture of the batch, as if it had been the only one.
    fn of_item(&self, item: usize, batch: usize) -> Tensor<'_> {
        let length = self.values.len() / batch;
        Tensor { shape: &self.item_shape, values: &self.values[item * length..(item + 1) * length] }
    }
}
