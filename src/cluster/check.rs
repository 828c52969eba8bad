//! Whether the cluster's etcd answers, has a majority, and what happens when it has none, for `ocelli check`.

use crate::cluster::etcd::{Access, EtcdError};
use crate::cluster::records::Keys;
use crate::cluster::settings::ClusterSettings;
use crate::vision::error_chain::describe;

/// What was found of the cluster.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClusterCheck {
    /// Each endpoint, and the version of the member there or why it does not answer.
    pub endpoints: Vec<(String, Result<String, String>)>,
    /// The number of members, as one of them says.
    pub members: Option<usize>,
    /// The boxes that are there now; an error if no member has a majority behind it.
    pub boxes: Option<Result<Vec<String>, String>>,
}

impl ClusterCheck {
    /// What happens when a member is lost, as a sentence; `None` if one may be.
    pub fn warning(&self) -> Option<String> {
        match self.members? {
            1 => Some(
                "etcd has one member: while that is away no camera moves from a dead box to another; boxes that live keep theirs. Three \
                 members on three machines can lose one"
                    .to_owned(),
            ),
            2 => Some(
                "etcd has two members, and both must be there for a camera to move: when one box dies with its member, its cameras are \
                 blind until it is back. A third member on any machine mends that (it takes 40 MiB)"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Asks every endpoint.
///
/// # Errors
/// When a certificate or the password cannot be read.
pub async fn check(settings: &ClusterSettings) -> Result<ClusterCheck, EtcdError> {
    let (access, keys, mut found) = (Access::read(settings)?, Keys::new(&settings.name), ClusterCheck::default());
    for endpoint in &settings.endpoints {
        let asked = async {
            let mut etcd = access.connect(endpoint).await?;
            let (members, version) = etcd.members().await?;
            Ok::<_, EtcdError>((etcd, members, version))
        };
        let version = match asked.await {
            Ok((mut etcd, members, version)) => {
                found.members = Some(members);
                if !matches!(found.boxes, Some(Ok(_))) {
                    let read = etcd.everything(&format!("{}boxes/", keys.all())).await;
                    let names = read.map(|(entries, _)| {
                        let name = |key: &str| keys.parts(key).map(|(_, name)| name.to_owned());
                        entries.iter().filter_map(|entry| name(&entry.key)).collect()
                    });
                    found.boxes = Some(names.map_err(|error| describe(&error)));
                }
                Ok(version)
            }
            Err(error) => Err(describe(&error)),
        };
        found.endpoints.push((endpoint.clone(), version));
    }
    Ok(found)
}
