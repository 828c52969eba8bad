//! What a reload puts in force of new settings, and which keys wait for a restart.

use crate::http::settings::HttpSettings;
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::settings::Settings;
use crate::settings::check::check;
use crate::settings::mistake::Finding;
use crate::telemetry::settings::LogSettings;
use serde::Serialize;
use serde_json::Value;

impl Settings {
    /// The settings in force after a reload of `read`, and the keys that keep their present values until a restart, such as
    /// `http.port`.
    pub(crate) fn after_reload(&self, read: &Settings) -> (Settings, Vec<String>) {
        let Settings { cameras, models, tracking, snapshots, access_keys, buckets, viewers, mqtt, .. } = read.clone();
        let settings = Settings {
            log: LogSettings { level: read.log.level.clone(), ..self.log.clone() },
            http: HttpSettings { tls: read.http.tls.clone(), ..self.http.clone() },
            // Whether the outbox keeps events for a broker is settled at the start.
            mqtt: MqttSettings { enabled: self.mqtt.enabled, ..mqtt },
            cameras,
            models,
            tracking,
            snapshots,
            access_keys,
            buckets,
            viewers,
            ..self.clone()
        };
        let waiting = differing_keys(&settings, read);
        (settings, waiting)
    }

    /// What does not fit together of what a reload would put in force: `read` fits by itself, and the keys that wait for a
    /// restart may not fit the others.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let found = check(self).into_iter();
        found
            .filter_map(|(key, finding)| match finding {
                Finding::Mistake(what) => Some(format!(
                    "`{key}`: {what}; another change of the file waits for a restart: restart ocelli instead"
                )),
                Finding::Range { .. } => None,
            })
            .collect()
    }
}

/// The keys of the sections that a reload leaves as they are, as far as their values differ.
fn differing_keys(old: &Settings, new: &Settings) -> Vec<String> {
    // No section can be left out: those that are put in force are equal by now.
    let Settings {
        box_id,
        state_directory,
        log,
        http,
        rekognition,
        access_keys,
        buckets,
        viewers,
        capture,
        snapshots,
        clips,
        cameras,
        units,
        models,
        zones,
        mqtt,
        tracking,
        outbox,
        sandbox,
        cluster,
    } = old;
    let mut keys = Vec::new();
    compare("box_id", box_id, &new.box_id, &mut keys);
    compare("state_directory", state_directory, &new.state_directory, &mut keys);
    compare("log", log, &new.log, &mut keys);
    compare("http", http, &new.http, &mut keys);
    compare("rekognition", rekognition, &new.rekognition, &mut keys);
    compare("access_keys", access_keys, &new.access_keys, &mut keys);
    compare("viewers", viewers, &new.viewers, &mut keys);
    compare("buckets", buckets, &new.buckets, &mut keys);
    compare("capture", capture, &new.capture, &mut keys);
    compare("snapshots", snapshots, &new.snapshots, &mut keys);
    compare("clips", clips, &new.clips, &mut keys);
    compare("cameras", cameras, &new.cameras, &mut keys);
    compare("units", units, &new.units, &mut keys);
    compare("models", models, &new.models, &mut keys);
    compare("zones", zones, &new.zones, &mut keys);
    compare("mqtt", mqtt, &new.mqtt, &mut keys);
    compare("tracking", tracking, &new.tracking, &mut keys);
    compare("outbox", outbox, &new.outbox, &mut keys);
    compare("sandbox", sandbox, &new.sandbox, &mut keys);
    compare("cluster", cluster, &new.cluster, &mut keys);
    keys
}

/// Adds the keys of a section whose values differ. Values that are shown as `***` are compared as they are.
fn compare<T: PartialEq + Serialize>(section: &str, old: &T, new: &T, keys: &mut Vec<String>) {
    if old == new {
        return;
    }
    let before = keys.len();
    if let (Ok(old), Ok(new)) = (serde_json::to_value(old), serde_json::to_value(new)) {
        name_differences(section, &old, &new, keys);
    }
    if keys.len() == before {
        // A secret: it differs, and both are shown as the same.
        keys.push(section.to_owned());
    }
}

fn name_differences(key: &str, old: &Value, new: &Value, keys: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                let before = old.get(name).unwrap_or(&Value::Null);
                name_differences(&format!("{key}.{name}"), before, value, keys);
            }
        }
        _ if old == new => {}
        _ => keys.push(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::tests::settings;

    fn waiting(old: &str, new: &str) -> Vec<String> {
        let mut waiting = settings(old).after_reload(&settings(new)).1;
        waiting.sort();
        waiting
    }

    #[test]
    fn what_needs_a_restart_is_named_by_its_key() {
        for (new, keys) in [
            ("[http]\nport = 9999\n", vec!["http.port"]),
            ("[mqtt]\nenabled = false\nhost = \"broker\"\n", vec!["mqtt.enabled"]),
            ("[units]\nmax_units = 3\n[log]\nformat = \"json\"\n", vec!["log.format", "units.max_units"]),
        ] {
            assert_eq!(waiting("", new), keys);
        }
    }

    #[test]
    fn what_a_reload_applies_waits_for_nothing() {
        let old = settings("");
        let new = settings(
            "[log]\nlevel = \"debug\"\n[mqtt]\nhost = \"broker\"\nhome_assistant.enabled = true\n[http.tls]\nnames = \
             [\"box.lan\"]\n[tracking]\nenabled = false\n[snapshots]\nquality = 50\n",
        );
        assert_eq!(old.after_reload(&new), (new.clone(), vec![]));
    }

    #[test]
    fn keys_that_the_address_of_before_needs_are_not_taken_away() {
        let key = "[[access_keys]]\naccess_key_id = \"K\"\nsecret = \"a-secret-of-some-length\"\nrole = \"operator\"\n";
        let old = settings(&format!("[http]\npublic_address = \"0.0.0.0\"\n{key}"));
        let (mixed, waiting) = old.after_reload(&settings(""));
        assert_eq!(waiting, ["http.public_address"]);
        let told = mixed.contradictions();
        assert!(told.len() == 1 && told[0].contains("access_keys") && told[0].contains("restart"), "{told:?}");
        assert!(old.contradictions().is_empty());
    }
}
