//! The lifecycle of a model.

/// The lifecycle state of a model, with the names of the cloud's API.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ModelState {
    /// Its first units are loading.
    Starting,
    /// It accepts work. The loss of a unit reduces the capacity and does not change the state.
    Running,
    /// Its units finish their current batches.
    Stopping,
    /// It has no units.
    #[default]
    Stopped,
    /// No unit could load it, which is retried with backoff; or its package cannot be used.
    Failed,
}

impl ModelState {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
        }
    }
}
