//! `ocelli check`: whether the box will work with these settings, as the user that will run it. Each finding says what is
//! wrong, where, and the cure.

mod access;
mod broker;
mod camera_words;
mod cameras;
mod cluster;
mod packages;
mod reach;
mod report;
mod this_box;
mod transports;

pub(super) use crate::cli::check::access::exposed_secrets;
use crate::cli::check::report::{Finding, Report, Severity};
use crate::cli::config_arguments::ConfigArguments;
use crate::http::peers::PeerTls;
use crate::http::tls::check_configured;
use crate::os::access::Visitor;
use crate::settings::{Settings, SettingsErrors, environment};
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli check --config /etc/ocelli/ocelli.toml
  ocelli check --offline --json

Exit codes: 0 all is well, perhaps with warnings; 1 something does not work now; 78 the settings, or files that
they name, are wrong.")]
pub(super) struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Connect to nothing and start nothing: check the settings, the files that they name, and the box.
    #[arg(long)]
    offline: bool,
    /// Judge files and directories for this user. Default: `ocelli` for root, if there is one; else whoever runs this.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn check(arguments: &CheckArguments) -> ExitCode {
    let files = arguments.config.files();
    let mut report = Report::new(arguments.json);
    let (settings, places) = match Settings::load_placed(&files, environment()) {
        Ok((settings, places)) => (Arc::new(settings), places),
        Err(SettingsErrors(mistakes)) => {
            report.extend(mistakes.into_iter().map(Finding::of_mistake));
            return report.finish();
        }
    };
    let Some(visitor) = access::visitor(arguments.user.as_deref()) else {
        let name = arguments.user.as_deref().unwrap_or_default();
        report.add(Finding::new(Severity::Failed, "user", format!("there is no user `{name}` on this box")));
        return report.finish();
    };
    let of_files = access::check_files(&settings, &places, &files, &visitor);
    report.know(&settings.box_id, places);
    let what = format!("{} cameras, box `{}`", settings.cameras.len(), settings.box_id);
    report.add(Finding::ok("settings", what));
    report.extend(of_files);
    report.extend(access::check_directories(&settings, &visitor));
    report.extend(broker::check_broker_files(&settings));
    if let Err(what) = check_configured(&settings.http.tls) {
        let finding = Finding::new(Severity::Mistake, "HTTP", what).key("http.tls");
        report.add(finding.cure("correct the file, or the setting that names it"));
    }
    if let Err(what) = PeerTls::read(&settings.cluster.peers) {
        let finding = Finding::new(Severity::Mistake, "cluster", describe(&what)).key("cluster.peers");
        report.add(finding.cure("correct the file, or the setting that names it"));
    }
    report.extend(this_box::check_box(&settings, &visitor));
    let mut findings = Vec::new();
    let good_models = packages::check_packages(&settings, &visitor, &mut findings);
    report.extend(findings);
    if !arguments.offline {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(try_everything(&settings, &good_models, &visitor, &mut report)),
            Err(error) => report.add(Finding::new(Severity::Failed, "check", describe(&error))),
        }
    }
    report.finish()
}

/// Starts what the daemon would start, and connects to what it would connect to.
async fn try_everything(settings: &Arc<Settings>, models: &[&ModelSettings], visitor: &Visitor, report: &mut Report) {
    for model in models.iter().filter(|model| model.enabled) {
        report.add(packages::check_model(settings, model, visitor).await);
    }
    if settings.mqtt.enabled {
        report.add(broker::check_broker(settings).await);
    }
    report.extend(cluster::check_cluster(settings).await);
    report.extend(cameras::check_cameras(settings).await);
}
