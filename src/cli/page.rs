//! `ocelli page`: a link into the page of a running daemon.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::daemon::Daemon;
use crate::cli::live_view::print_line;
use crate::http::client::HttpMethod;
use crate::http::settings::HttpSettings;
use crate::settings::Settings;
use serde_json::json;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli page
  ocelli page --viewer
  ssh -L 8480:127.0.0.1:8480 box     # then open the link on your own computer

The link opens one session, within five minutes. What follows its `#` is the secret: browsers send it to no server and in no
referrer.

Exit codes: 0 done, 1 refused or no daemon, 78 the settings are wrong.")]
pub(super) struct PageArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Whoever opens the link may look, and change nothing.
    #[arg(long)]
    viewer: bool,
}

pub(super) fn page(arguments: &PageArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| ask(settings, arguments.viewer).await)
}

async fn ask(settings: &Settings, is_viewer: bool) -> Result<(), Box<dyn Error>> {
    let http = &settings.http;
    if http.port == 0 {
        return Err("`http.port` is 0, so the page has another port at each start: set one".into());
    }
    let role = if is_viewer { "viewer" } else { "operator" };
    let daemon = Daemon::of(settings)?;
    let (box_id, answer) = daemon.ask_json(HttpMethod::POST, "/api/page-link", Some(&json!({"role": role}))).await?;
    daemon.warn_of_another_box(&box_id);
    let link = answer["link"].as_str().ok_or("the daemon's answer has no link")?;
    let minutes = answer["expires_in_s"].as_u64().unwrap_or_default() / 60;
    print_line(&format!("http://{}/#link={link}", SocketAddr::new(http.address, http.port)));
    eprintln!(
        "box {box_id}: it opens one session of a{} {role}, within {minutes} minutes",
        if is_viewer { "" } else { "n" }
    );
    if let Some(address) = public_address(http).filter(|_| !settings.viewers.is_empty()) {
        eprintln!("people of [[viewers]] log in at {address}");
    }
    Ok(())
}

/// Where people log in beyond the box.
fn public_address(http: &HttpSettings) -> Option<String> {
    let address = http.public_address.filter(|_| http.serves_people_publicly())?;
    if !address.is_unspecified() {
        return Some(format!("https://{}/", SocketAddr::new(address, http.public_port)));
    }
    let name = http.names.iter().chain(&http.tls.names).find(|name| !name.contains(':'));
    let host = name.cloned().unwrap_or_else(|| "<address of the box>".to_owned());
    Some(format!("https://{host}:{}/", http.public_port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    #[test]
    fn the_public_address_is_one_that_a_browser_can_open() {
        let hash = crate::http::login::password::hash(&crate::secret::Secret::new("correct horse battery")).unwrap();
        let viewer = format!("[[viewers]]\nname = \"anna\"\npassword_hash = \"{}\"\n", hash.reveal());
        let of = |http: &str| public_address(&settings(&format!("[http]\n{http}\n{viewer}")).http);
        assert_eq!(of(""), None);
        assert_eq!(of("public_address = \"192.0.2.7\"").unwrap(), "https://192.0.2.7:8443/");
        assert_eq!(of("public_address = \"::1\"").unwrap(), "https://[::1]:8443/");
        assert_eq!(of("public_address = \"0.0.0.0\"\nnames = [\"box.lan\"]").unwrap(), "https://box.lan:8443/");
        assert_eq!(of("public_address = \"0.0.0.0\"").unwrap(), "https://<address of the box>:8443/");
    }
}
