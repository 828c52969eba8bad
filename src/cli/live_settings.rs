//! The settings outside the appliance that a reload changes: log, certificate, access keys, people, connection to the broker.

use crate::appliance::{Prepared, mqtt_commands};
use crate::control::Control;
use crate::http::auth::access_keys::{AccessKey, AccessKeySettings};
use crate::http::login::reception::Reception;
use crate::http::login::viewer::{Viewer, ViewerSettings};
use crate::http::rekognition::EndpointRules;
use crate::http::server::ServerIdentity;
use crate::http::tls;
use crate::publish::cluster_link::ClusterLink;
use crate::publish::publisher::Publisher;
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::telemetry::logging::{LevelSwitch, Redactor};
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Reads and applies them.
#[derive(Clone, Debug)]
pub(super) struct LiveSettings {
    pub(super) redactor: Redactor,
    pub(super) level: LevelSwitch,
    pub(super) identity: ServerIdentity,
    pub(super) endpoint: watch::Sender<EndpointRules>,
    pub(super) reception: Reception,
    pub(super) control: Control,
    /// The cluster that a new connection to a broker listens for.
    pub(super) cluster: Option<ClusterLink>,
    /// What the present connection to the broker was made with.
    pub(super) broker_files: Arc<Mutex<BrokerFiles>>,
}

impl LiveSettings {
    /// Reads what the new settings name, and returns what applies them. Must be called inside the runtime.
    ///
    /// # Errors
    /// The mistakes, such as a secret that cannot be read. Nothing has changed then.
    pub(super) fn prepare(&self, old: &Settings, new: &Settings) -> Result<Prepared, Vec<String>> {
        let mut changes = Changes::default();
        let rules = endpoint_rules(new).map_err(|mistake| vec![mistake])?;
        rules.keys.iter().for_each(|key| self.redactor.register(&key.secret));
        // A new secret may be in a file of the old name.
        let are_keys_new = self.endpoint.borrow().keys != rules.keys;
        let endpoint = self.endpoint.clone();
        let line = are_keys_new.then_some("[[access_keys]]: changed");
        changes.add(line, move || drop(endpoint.send_replace(rules)));
        let viewers = viewers(new, &self.redactor).map_err(|mistake| vec![mistake])?;
        if !self.reception.knows(&viewers) {
            let reception = self.reception.clone();
            changes.add(Some("[[viewers]]: changed"), move || reception.set_viewers(viewers));
        }
        if old.log.level != new.log.level {
            let (switch, level) = (self.level.clone(), new.log.level.clone());
            changes.add(Some("log.level: changed"), move || switch.set(&level));
        }
        self.prepare_certificate(old, new, &mut changes).map_err(|mistake| vec![mistake])?;
        let publisher = self.prepare_publisher(old, new, &mut changes).map_err(|mistake| vec![mistake])?;
        let Changes { lines, steps } = changes;
        Ok(Prepared { publisher, lines, apply: Box::new(move || steps.into_iter().for_each(|step| step())) })
    }

    /// A certificate is read again with each reload: a new one mostly has the old name.
    fn prepare_certificate(&self, old: &Settings, new: &Settings, changes: &mut Changes) -> Result<(), String> {
        let served = self.identity.certificate.clone();
        let is_awaited = new.http.shows_certificate() && old.http.tls != new.http.tls;
        if !(served.is_set() || is_awaited) {
            return Ok(());
        }
        let tls = &new.http.tls;
        let certificate = tls::certificate(tls, &self.identity.state_directory, &self.identity.names);
        let certificate = certificate.map_err(|error| format!("http.tls: {}", describe(&error)))?;
        if !served.is(&certificate) {
            changes.add(Some("[http.tls]: new connections get another certificate"), move || served.set(certificate));
        }
        Ok(())
    }

    /// The connection to the broker is made anew for other settings, and for other contents of the files that they name.
    fn prepare_publisher(
        &self,
        old: &Settings,
        new: &Settings,
        changes: &mut Changes,
    ) -> Result<Option<Box<Publisher>>, String> {
        if !new.mqtt.enabled {
            return Ok(None);
        }
        let files = BrokerFiles::read(&new.mqtt)?;
        let known = Arc::clone(&self.broker_files);
        let is_same = *known.lock().unwrap_or_else(PoisonError::into_inner) == files;
        if is_same && old.mqtt == new.mqtt {
            return Ok(None);
        }
        files.password.iter().for_each(|password| self.redactor.register(password));
        let cameras: Vec<CameraId> = new.cameras.iter().map(|camera| camera.id.clone()).collect();
        let publisher = Publisher::new(&new.mqtt, &new.box_id, &cameras, self.cluster.clone());
        let mut publisher = publisher.map_err(|error| format!("mqtt: {}", describe(&error)))?;
        let (commands, control) = (publisher.take_commands(), self.control.clone());
        changes.add(Some("[mqtt]: changed; it reconnects"), move || {
            *known.lock().unwrap_or_else(PoisonError::into_inner) = files;
            if let Some(commands) = commands {
                tokio::spawn(mqtt_commands::serve(control, commands));
            }
        });
        Ok(Some(Box::new(publisher)))
    }
}

/// What is to be done once nothing can fail any more.
#[derive(Default)]
struct Changes {
    lines: Vec<String>,
    steps: Vec<Box<dyn FnOnce() + Send>>,
}

impl Changes {
    fn add(&mut self, line: Option<&str>, step: impl FnOnce() + Send + 'static) {
        self.lines.extend(line.map(str::to_owned));
        self.steps.push(Box::new(step));
    }
}

/// The contents of the files that `[mqtt]` names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct BrokerFiles {
    pub(super) password: Option<Secret>,
    tls: Vec<Vec<u8>>,
}

impl BrokerFiles {
    /// # Errors
    /// The file that cannot be read, and why.
    pub(super) fn read(settings: &MqttSettings) -> Result<Self, String> {
        let password = settings.credentials.resolve_password();
        let password = password.map_err(|error| format!("mqtt.credentials: {}", describe(&error)))?;
        let tls = &settings.tls;
        let named = [&tls.ca_file, &tls.certificate_file, &tls.key_file].into_iter().flatten();
        let read =
            |file: &PathBuf| std::fs::read(file).map_err(|error| format!("mqtt.tls: {}: {error}", file.display()));
        Ok(Self { password, tls: named.filter(|_| tls.enabled).map(read).collect::<Result<_, _>>()? })
    }
}

/// The people of the settings. The log shows none of their hashes.
///
/// # Errors
/// The person whose hash cannot be read, and why.
pub(super) fn viewers(settings: &Settings, redactor: &Redactor) -> Result<Vec<Viewer>, String> {
    let resolve = |viewer: &ViewerSettings| -> Result<Viewer, String> {
        viewer.resolve().map_err(|error| format!("viewer {}: {}", viewer.name, describe(&error)))
    };
    let viewers: Vec<Viewer> = settings.viewers.iter().map(resolve).collect::<Result<_, _>>()?;
    viewers.iter().for_each(|viewer| redactor.register(&viewer.hash));
    Ok(viewers)
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
