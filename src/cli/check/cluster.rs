//! The cluster: whether etcd answers, has a majority, and what happens when it has none.

use crate::cli::check::report::{Finding, Severity};
use crate::cluster::sealed_passwords::ClusterKey;
use crate::cluster::{ClusterCheck, check};
use crate::settings::Settings;
use crate::vision::error_chain::describe;

/// Asks every member of etcd.
pub(super) async fn check_cluster(settings: &Settings) -> Vec<Finding> {
    let cluster = &settings.cluster;
    if !cluster.is_on() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if let Some(file) = &cluster.key_file
        && let Err(error) = ClusterKey::read(Some(file), &cluster.name)
    {
        findings.push(Finding::new(Severity::Mistake, "cluster", describe(&error)).key("cluster.key_file"));
    }
    match check(cluster).await {
        Ok(found) => findings.extend(of_etcd(&found)),
        Err(error) => findings.push(Finding::new(Severity::Mistake, "cluster", describe(&error)).key("cluster")),
    }
    findings
}

fn of_etcd(found: &ClusterCheck) -> Vec<Finding> {
    let members = found.endpoints.iter().map(|(endpoint, answer)| match answer {
        Ok(version) => Finding::ok("cluster", format!("etcd {version} answers at {endpoint}")),
        Err(why) => Finding::new(Severity::Warning, "cluster", format!("etcd at {endpoint}: {why}"))
            .key("cluster.endpoints")
            .cure("start the member, or correct the address"),
    });
    let mut findings: Vec<Finding> = members.collect();
    findings.push(match &found.boxes {
        Some(Ok(boxes)) if boxes.is_empty() => Finding::ok("cluster", "a majority of etcd answers; no box is there yet"),
        Some(Ok(boxes)) => Finding::ok("cluster", format!("a majority of etcd answers; boxes: {}", boxes.join(", "))),
        Some(Err(why)) => {
            let what = format!(
                "etcd has no majority of its members ({why}): every box keeps its cameras, and none takes one over until it has"
            );
            Finding::new(Severity::Failed, "cluster", what).cure("start the other members of etcd")
        }
        None => Finding::new(Severity::Failed, "cluster", "no member of etcd answers: this box takes no camera of the cluster")
            .key("cluster.endpoints"),
    });
    findings.extend(found.warning().map(|what| Finding::new(Severity::Warning, "cluster", what)));
    findings
}
