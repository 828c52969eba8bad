//! The settings of the AWS endpoint and of the log, which a reload changes beside the appliance.

use crate::http::auth::access_keys::{AccessKey, AccessKeySettings};
use crate::http::rekognition::EndpointRules;
use crate::settings::Settings;
use crate::telemetry::logging::Redactor;
use crate::vision::error_chain::describe;
use tokio::sync::watch;

/// Applies them.
#[derive(Clone, Debug)]
pub(super) struct LiveSettings {
    pub(super) redactor: Redactor,
    pub(super) endpoint: watch::Sender<EndpointRules>,
}

impl LiveSettings {
    /// Reads what the settings name, and returns what applies it.
    ///
    /// # Errors
    /// The mistakes, such as a secret that cannot be read. Nothing has changed then.
    pub(super) fn prepare(&self, settings: &Settings) -> Result<Box<dyn FnOnce() + Send>, Vec<String>> {
        let rules = endpoint_rules(settings).map_err(|mistake| vec![mistake])?;
        let live = self.clone();
        Ok(Box::new(move || {
            rules.keys.iter().for_each(|key| live.redactor.register(&key.secret));
            live.endpoint.send_replace(rules);
        }))
    }
}

/// Who may call the AWS endpoint, and which buckets and model it uses.
///
/// # Errors
/// The key whose secret cannot be read, and why.
pub(super) fn endpoint_rules(settings: &Settings) -> Result<EndpointRules, String> {
    let resolve = |key: &AccessKeySettings| -> Result<AccessKey, String> {
        key.resolve().map_err(|error| format!("access key {}: {}", key.access_key_id, describe(&error)))
    };
    Ok(EndpointRules {
        keys: settings.access_keys.iter().map(resolve).collect::<Result<_, _>>()?,
        buckets: settings.buckets.clone(),
        default_model: settings.default_model().name,
    })
}
