//! `execution_provider` of a model in the settings: one by name, or whichever computes the most here.

use crate::model::execution_provider::ExecutionProvider;
use serde::{Deserialize, Serialize};

/// The execution provider of a model, as the settings say it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderSetting {
    /// The one that does the most transactions a second and core, by measurement on this box.
    Auto,
    /// [`ExecutionProvider::Cpu`].
    #[default]
    Cpu,
    /// [`ExecutionProvider::Cuda`].
    Cuda,
    /// [`ExecutionProvider::TensorRt`].
    TensorRt,
    /// [`ExecutionProvider::OpenVino`].
    OpenVino,
    /// [`ExecutionProvider::Xnnpack`].
    Xnnpack,
}

impl ProviderSetting {
    /// The provider that the settings name; `None` for [`Self::Auto`].
    pub fn named(self) -> Option<ExecutionProvider> {
        match self {
            Self::Auto => None,
            Self::Cpu => Some(ExecutionProvider::Cpu),
            Self::Cuda => Some(ExecutionProvider::Cuda),
            Self::TensorRt => Some(ExecutionProvider::TensorRt),
            Self::OpenVino => Some(ExecutionProvider::OpenVino),
            Self::Xnnpack => Some(ExecutionProvider::Xnnpack),
        }
    }
}

impl From<ExecutionProvider> for ProviderSetting {
    fn from(provider: ExecutionProvider) -> Self {
        match provider {
            ExecutionProvider::Cpu => Self::Cpu,
            ExecutionProvider::Cuda => Self::Cuda,
            ExecutionProvider::TensorRt => Self::TensorRt,
            ExecutionProvider::OpenVino => Self::OpenVino,
            ExecutionProvider::Xnnpack => Self::Xnnpack,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_is_called_as_it_calls_itself() {
        for provider in ExecutionProvider::ALL {
            let setting = ProviderSetting::from(provider);
            assert_eq!(serde_json::to_value(setting).unwrap(), provider.name());
            assert_eq!(setting.named(), Some(provider));
        }
        assert_eq!(serde_json::to_value(ProviderSetting::Auto).unwrap(), "auto");
        assert_eq!(ProviderSetting::Auto.named(), None);
    }
}
