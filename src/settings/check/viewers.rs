//! `[[viewers]]` and `[http.sessions]`.

use crate::http::login::viewer::{ViewerError, judge_name};
use crate::settings::Settings;
use crate::settings::check::findings::Findings;

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let sessions = &settings.http.sessions;
    findings.range("http.sessions.idle_minutes", f64::from(sessions.idle_minutes), 1.0, 43_200.0);
    findings.range("http.sessions.longest_hours", f64::from(sessions.longest_hours), 1.0, 720.0);
    for (index, viewer) in settings.viewers.iter().enumerate() {
        if let Err(what) = judge_name(&viewer.name) {
            findings.add(format!("viewers[{index}].name"), what);
        }
        let table = format!("viewers[{index}]");
        match viewer.resolve() {
            Ok(_) => {}
            Err(ViewerError::File(error)) => findings.secret(&table, "password_hash", &error),
            Err(ViewerError::Hash(error)) => {
                let file = if viewer.password_hash_file.is_some() { "_file" } else { "" };
                findings.add(format!("{table}.password_hash{file}"), error.to_string());
            }
            Err(error @ (ViewerError::Missing | ViewerError::Ambiguous)) => findings.add(table, error.to_string()),
        }
    }
    findings.unique("viewers", "name", settings.viewers.iter().map(|viewer| viewer.name.as_str()));
}

#[cfg(test)]
mod tests {
    use crate::http::login::password;
    use crate::secret::Secret;
    use crate::settings::tests::mistakes;

    #[test]
    fn each_mistake_about_a_viewer_is_told_with_its_cure_and_without_the_hash() {
        let hash = password::hash(&Secret::new("correct horse battery")).unwrap();
        let of = |name: &str, lines: &str| format!("[[viewers]]\nname = \"{name}\"\n{lines}\n");
        let good = format!("password_hash = \"{}\"", hash.reveal());
        for (text, key, words) in [
            (of("anna", ""), "viewers[anna]", "ocelli user add"),
            (of("anna", &format!("{good}\npassword_hash_file = \"/x\"")), "viewers[anna]", "only one"),
            (of("anna", "password_hash = \"hunter2hunter2\""), "viewers[anna].password_hash", "no Argon2id hash"),
            (
                of("anna", "password_hash_file = \"/nowhere\""),
                "viewers[anna].password_hash_file",
                "/nowhere does not exist",
            ),
            (of("a b", &good), "viewers[a b].name", "letters, digits"),
            (of("link", &good), "viewers[link].name", "meaning of its own"),
            (of("anna", &format!("{good}\nrole = \"admin\"")), "viewers[anna].role", "viewer"),
            (of("anna", &good).repeat(2), "viewers[anna].name", "is also used by"),
            ("[http.sessions]\nidle_minutes = 0\n".to_owned(), "http.sessions.idle_minutes", "1 to 43200"),
        ] {
            let found = mistakes(&text);
            assert!(found.len() == 1 && found[0].key == key && found[0].what.contains(words), "{words}: {found:?}");
            assert!(!found[0].to_string().contains("hunter2") && !found[0].to_string().contains(hash.reveal()));
        }
        assert_eq!(mistakes(&of("anna", &good)), []);
    }

    #[test]
    fn a_public_address_is_for_keys_or_for_people_and_for_them_over_tls_alone() {
        let hash = password::hash(&Secret::new("correct horse battery")).unwrap();
        let viewer = format!("[[viewers]]\nname = \"anna\"\npassword_hash = \"{}\"\n", hash.reveal());
        let http = "[http]\npublic_address = \"0.0.0.0\"\n";
        assert_eq!(mistakes(&format!("{http}{viewer}")), []);
        for text in [http.to_owned(), format!("{http}public_plain = true\n{viewer}")] {
            let found = mistakes(&text);
            assert!(found.len() == 1 && found[0].key == "http.public_address", "{found:?}");
            assert!(found[0].what.contains("[[viewers]] and TLS"), "{found:?}");
        }
    }
}
