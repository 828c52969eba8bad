//! What a camera asks of whoever holds its connection.

/// What is due for a camera.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CameraDue {
    /// Nothing.
    Wait,
    /// Connect it.
    Open,
    /// Close the connection, which has been silent for too long.
    Close {
        /// For the operator.
        why: String,
    },
}
