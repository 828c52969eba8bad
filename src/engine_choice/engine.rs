//! What may compute a model, in the order in which it is tried.

use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use crate::model::model_file::ModelVariant;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Providers that compute on the box's cores. Those of GPUs are not compared with them: a GPU is no core, and what it does for
/// one model it does not do for the next.
const ON_CORES: [ExecutionProvider; 3] =
    [ExecutionProvider::Cpu, ExecutionProvider::OpenVino, ExecutionProvider::Xnnpack];

/// What computes a model.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// The execution provider.
    pub execution_provider: ExecutionProvider,
    /// The file of the package.
    pub variant: ModelVariant,
    /// Threads of one inference.
    pub threads: u16,
}

/// What the settings leave open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// The file that must be taken; `None`: whichever is faster.
    pub variant: Option<ModelVariant>,
    /// The most threads of one inference.
    pub most_threads: u16,
}

impl Engine {
    /// What answers are compared with: the float model on ONNX Runtime's own CPU provider.
    pub const REFERENCE: Self =
        Self { execution_provider: ExecutionProvider::Cpu, variant: ModelVariant::Float, threads: 1 };

    /// Turns a load to this engine. Device and options were meant for a provider that somebody has named.
    pub fn apply(self, load: &mut LoadModel) {
        (load.device, load.provider_options) = (None, ProviderOptions::default());
        (load.execution_provider, load.variant) = (self.execution_provider, self.variant);
        load.intra_op_threads = self.threads;
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.execution_provider, self.variant)?;
        match self.threads {
            1 => Ok(()),
            threads => write!(out, " with {threads} threads"),
        }
    }
}

impl Wanted {
    /// What computes while nothing is measured, and where nothing can be.
    pub fn unmeasured(self) -> Engine {
        let variant = self.variant.unwrap_or(ModelVariant::Float);
        Engine { execution_provider: ExecutionProvider::Cpu, variant, threads: self.most_threads }
    }

    /// True if the settings allow an engine to be taken.
    pub fn allows(self, engine: Engine) -> bool {
        self.variant.is_none_or(|variant| variant == engine.variant) && engine.threads <= self.most_threads
    }

    /// Everything to try with a package that has these files. The reference comes first, whether or not it may be taken.
    pub(super) fn candidates(self, variants: &[ModelVariant]) -> Vec<Engine> {
        // Those of the settings are among them: what computes without a choice is compared with.
        let doubled = std::iter::successors(Some(1_u16), |threads| threads.checked_mul(2));
        let doubled = doubled.take_while(|threads| *threads < self.most_threads);
        let threads: Vec<u16> = doubled.chain([self.most_threads]).collect();
        // The reference is measured first.
        let mut candidates = vec![Engine::REFERENCE];
        for variant in variants {
            for execution_provider in ON_CORES {
                let of = |threads: &u16| Engine { execution_provider, variant: *variant, threads: *threads };
                let others = threads.iter().map(of).filter(|engine| *engine != Engine::REFERENCE);
                candidates.extend(others.filter(|engine| self.allows(*engine)));
            }
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ModelVariant::{Float, Int8};

    fn names(wanted: Wanted, variants: &[ModelVariant]) -> Vec<String> {
        wanted.candidates(variants).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_reference_comes_first_and_what_the_settings_pin_is_all_that_may_be_taken() {
        let open = Wanted { variant: None, most_threads: 1 };
        let float = ["cpu float", "openvino float", "xnnpack float"];
        assert_eq!(names(open, &[Float]), float);
        let int8 = ["cpu int8", "openvino int8", "xnnpack int8"];
        assert_eq!(names(open, &[Float, Int8]), [float, int8].concat());
        let pinned = Wanted { variant: Some(Int8), ..open };
        assert_eq!(names(pinned, &[Float, Int8]), ["cpu float", "cpu int8", "openvino int8", "xnnpack int8"]);
        assert!(!pinned.allows(Engine::REFERENCE) && open.allows(Engine::REFERENCE));
        assert_eq!(pinned.unmeasured().to_string(), "cpu int8");
    }

    #[test]
    fn threads_are_doubled_up_to_those_of_the_settings() {
        let wanted = Wanted { variant: None, most_threads: 5 };
        let of_cpu: Vec<String> = names(wanted, &[Float]).into_iter().filter(|name| name.starts_with("cpu")).collect();
        assert_eq!(
            of_cpu,
            ["cpu float", "cpu float with 2 threads", "cpu float with 4 threads", "cpu float with 5 threads"]
        );
    }

    #[test]
    fn a_load_is_turned_to_an_engine_without_what_was_meant_for_another() {
        let mut load = LoadModel { device: Some("1".into()), intra_op_threads: 4, ..LoadModel::default() };
        Engine { execution_provider: ExecutionProvider::OpenVino, variant: Int8, threads: 2 }.apply(&mut load);
        assert_eq!((load.execution_provider, load.variant), (ExecutionProvider::OpenVino, Int8));
        assert_eq!((load.device, load.intra_op_threads), (None, 2));
    }
}
