//! The runs of a model before it takes work: the first one, one that is timed, and those of a trial.

use crate::unit::engine::OnnxEngine;
use crate::unit::load_error::LoadError;
use crate::unit::picture_fit::Placement;
use crate::unit::tensor_decoders::{self, Reading, TensorError};
use crate::unit::trial;
use crate::vision::geometry::NormalizedBox;
use std::time::Instant;

impl OnnxEngine {
    /// Does the first run, which is the slowest, and checks the output shapes against the layout.
    pub(super) fn warm_up(&mut self) -> Result<(), LoadError> {
        self.inference.write(0, self.preprocessor.rgb());
        let input = &self.manifest.input;
        let placement = Placement::new(input, (input.width, input.height), NormalizedBox::WHOLE);
        let reading = Reading { thresholds: &self.manifest.thresholds, placement: &placement };
        let mut misread = None;
        let run = self.inference.run(1, |_, tensors| {
            misread = tensor_decoders::decode(&self.manifest.output, tensors, &reading).err();
        });
        run.map_err(|error| LoadError::WarmUp(error.detail))?;
        match misread {
            Some(error @ (TensorError::Shape { .. } | TensorError::Missing(_))) => {
                Err(LoadError::WarmUp(format!("{error}; correct `output` in the manifest")))
            }
            // Other errors are ignored: the values for a plain picture need not be meaningful.
            _ => {
                self.inference.choose_batch().map_err(|error| LoadError::WarmUp(error.detail))?;
                Ok(())
            }
        }
    }

    /// Measures a run with one picture, so that the first callers are not refused for a unit of which nothing is known.
    pub(super) fn measure_run(&mut self) -> Result<(), LoadError> {
        let started = Instant::now();
        self.inference.run(1, |_, _| {}).map_err(|error| LoadError::WarmUp(error.detail))?;
        self.run_time = started.elapsed();
        Ok(())
    }

    /// Runs made-up pictures and compares what comes out with what the layout means.
    pub(super) fn try_out(&mut self, labels: usize) -> Result<(), LoadError> {
        let failed = |why: String| LoadError::WarmUp(why);
        let (width, height) = (self.manifest.input.width, self.manifest.input.height);
        for picture in trial::pictures(width, height) {
            let placement = self.preprocessor.prepare_rgb(&picture, NormalizedBox::WHOLE);
            let placement = placement.map_err(|error| failed(error.to_string()))?;
            self.inference.write(0, self.preprocessor.rgb());
            let (layout, thresholds) = (&self.manifest.output, &self.manifest.thresholds);
            let mut doubt = None;
            let run = self.inference.run(1, |_, tensors| {
                doubt = trial::doubt(layout, tensors, (width, height), labels).or_else(|| {
                    let reading = Reading { thresholds, placement: &placement };
                    tensor_decoders::decode(layout, tensors, &reading).err().map(|error| error.to_string())
                });
            });
            run.map_err(|error| failed(error.detail))?;
            if let Some(doubt) = doubt {
                return Err(LoadError::Doubtful { layout: layout.name(), doubt });
            }
        }
        Ok(())
    }
}
