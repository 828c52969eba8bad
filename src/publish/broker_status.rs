//! Whether the broker is connected, and why not: what the sink knows of it, for whoever is to tell the operator.

/// Whether the broker is connected, and if not, why: as a sentence for the operator, if that is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum BrokerStatus {
    /// MQTT is switched off in the settings.
    #[default]
    Off,
    /// It is connected.
    Connected,
    /// It cannot be reached.
    Away(Option<String>),
    /// It can be reached, and does not let the box in.
    Refused(Option<String>),
}
