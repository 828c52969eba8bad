//! Whether the sizes of a camera's frames tell that something moves.

use serde::{Deserialize, Serialize};

/// What the sizes of a camera's frames are used for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalUse {
    /// For nothing yet: too little was seen, of stillness or of movement.
    #[default]
    Learning,
    /// Keyframes after frames as small as those of a still scene are left out, and larger frames are looked into at once.
    Sizes,
    /// For nothing: they are the same whether something moves or not.
    None,
}

impl SignalUse {
    /// Its name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Sizes => "sizes",
            Self::None => "none",
        }
    }
}

/// The signal of a connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct StreamSignal {
    /// What it is used for.
    pub used: SignalUse,
    /// How often a group of pictures in which something moves has a stronger signal than one in which nothing does (AUC), in
    /// per cent; `None` until both were seen. 50 is chance.
    pub auc_percent: Option<u8>,
}
