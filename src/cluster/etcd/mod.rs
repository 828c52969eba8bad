//! What the cluster asks of etcd, each request with a time limit. The only place that names its client.
//!
//! A client has one endpoint at a time. A member that is cut off from the others goes on answering what it may, and one whose
//! machine is gone answers nothing and refuses nothing: whoever waits for one of several endpoints would wait for that.

mod changes;
mod commit;
mod error;
mod lease_keeper;

pub(super) use changes::Changes;
pub(super) use commit::{Commit, Expect};
pub use error::EtcdError;
pub(super) use lease_keeper::{LeaseEnd, LeaseKeeper};

use crate::cluster::etcd::error::seconds_of;
use crate::cluster::settings::ClusterSettings;
use crate::cluster::view::KeyChange;
use etcd_client::{Certificate, Client, ConnectOptions, GetOptions, Identity, TlsOptions};
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How to reach etcd: everything of the settings that is read from files.
#[derive(Clone)]
pub(super) struct Access {
    options: ConnectOptions,
    limit: Duration,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Access").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Access {
    /// Reads certificates and password. A request may take a third of the lease, so that a renewal that is not answered can be
    /// tried at another member.
    pub(super) fn read(settings: &ClusterSettings) -> Result<Self, EtcdError> {
        let limit = settings.lease() / 3;
        let mut options =
            ConnectOptions::new().with_connect_timeout(limit).with_timeout(limit).with_require_leader(true);
        let password = settings.credentials.resolve_password()?;
        if let Some(user) = &settings.credentials.user {
            let password = password.as_ref().map_or("", |password| password.reveal());
            options = options.with_user(user, password);
        }
        if settings.endpoints.iter().any(|endpoint| endpoint.starts_with("https://")) {
            options = options.with_tls(tls(settings)?);
        }
        Ok(Self { options, limit })
    }

    /// Connects to one member, and makes sure that it answers.
    pub(super) async fn connect(&self, endpoint: &str) -> Result<Etcd, EtcdError> {
        let connecting = Client::connect([endpoint], Some(self.options.clone()));
        let client = within(self.limit, connecting).await?;
        Ok(Etcd { client, limit: self.limit })
    }
}

fn tls(settings: &ClusterSettings) -> Result<TlsOptions, EtcdError> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| EtcdError::Unreadable(path.to_owned(), error));
    let files = &settings.tls;
    let mut options = TlsOptions::new();
    if let Some(file) = &files.ca_file {
        options = options.ca_certificate(Certificate::from_pem(read(file)?));
    }
    if let (Some(certificate), Some(key)) = (&files.certificate_file, &files.key_file) {
        options = options.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    Ok(options)
}

/// A connection to one member.
#[derive(Clone)]
pub(super) struct Etcd {
    client: Client,
    limit: Duration,
}

impl std::fmt::Debug for Etcd {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Etcd").finish_non_exhaustive()
    }
}

impl Etcd {
    /// Takes a lease; returns its number and how long it lasts, which may be more than was asked for.
    pub(super) async fn grant(&mut self, lease: Duration) -> Result<(i64, Duration), EtcdError> {
        let seconds = i64::try_from(lease.as_secs()).unwrap_or(i64::MAX);
        let granted = within(self.limit, self.client.lease_grant(seconds, None)).await?;
        Ok((granted.id(), seconds_of(granted.ttl())))
    }

    /// Gives a lease up, with every key on it.
    pub(super) async fn revoke(&mut self, lease: i64) -> Result<(), EtcdError> {
        within(self.limit, self.client.lease_revoke(lease)).await.map(drop)
    }

    /// Everything below a prefix, as a majority of the members has it, and the revision of that.
    pub(super) async fn everything(&mut self, prefix: &str) -> Result<(Vec<KeyChange>, i64), EtcdError> {
        let options = GetOptions::new().with_prefix();
        let mut got = within(self.limit, self.client.get(prefix, Some(options))).await?;
        let revision = got.header().map_or(0, etcd_client::ResponseHeader::revision);
        let entries = got.take_kvs().into_iter().map(|entry| {
            let revision = entry.mod_revision();
            let (key, value) = entry.into_key_value();
            KeyChange { key: String::from_utf8_lossy(&key).into_owned(), value: Some(value), revision }
        });
        Ok((entries.collect(), revision))
    }

    /// The changes below a prefix from a revision on.
    pub(super) async fn changes(&mut self, prefix: &str, from: i64) -> Result<Changes, EtcdError> {
        let options = etcd_client::WatchOptions::new().with_prefix().with_start_revision(from);
        Ok(Changes::new(within(self.limit, self.client.watch(prefix, Some(options))).await?))
    }

    /// Writes all of it, or nothing if something is not as expected. Returns the revision if it was written.
    pub(super) async fn commit(&mut self, commit: Commit) -> Result<Option<i64>, EtcdError> {
        let done = within(self.limit, self.client.txn(commit.into_transaction())).await?;
        let revision = done.header().map(etcd_client::ResponseHeader::revision);
        Ok(revision.filter(|_| done.succeeded()))
    }

    /// A keeper that renews a lease; `None` if etcd does not know it any more.
    pub(super) async fn keep(&mut self, lease: i64) -> Result<Option<LeaseKeeper>, EtcdError> {
        // It renews the lease once, to see whether it is there.
        match timeout(self.limit, self.client.lease_keep_alive(lease)).await {
            Err(_) => Err(EtcdError::Late(self.limit)),
            Ok(Err(etcd_client::Error::LeaseKeepAliveError(_))) => Ok(None),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok((keeper, answers))) => Ok(Some(LeaseKeeper::new(keeper, answers, self.limit))),
        }
    }

    /// How many members there are, and the version of the one that answers.
    pub(super) async fn members(&mut self) -> Result<(usize, String), EtcdError> {
        let members = within(self.limit, self.client.member_list()).await?.members().len();
        let version = within(self.limit, self.client.status()).await?.version().to_owned();
        Ok((members, version))
    }
}

async fn within<T>(
    limit: Duration,
    asking: impl Future<Output = Result<T, etcd_client::Error>>,
) -> Result<T, EtcdError> {
    Ok(timeout(limit, asking).await.map_err(|_| EtcdError::Late(limit))??)
}
