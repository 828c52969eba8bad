//! Renews a lease, and tells the [`Promise`] of each renewal that etcd confirms.

use crate::cluster::etcd::error::{EtcdError, seconds_of};
use crate::cluster::promise::Promise;
use crate::os::clock::boot_now;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Why a lease is not renewed any more.
#[derive(Debug)]
pub(in crate::cluster) enum LeaseEnd {
    /// etcd has given it up, with every key on it.
    Gone,
    /// It could not be asked; the lease may still be there.
    Unknown(EtcdError),
}

/// Renews one lease over one connection.
#[derive(Debug)]
pub(in crate::cluster) struct LeaseKeeper {
    keeper: etcd_client::LeaseKeeper,
    answers: etcd_client::LeaseKeepAliveStream,
    /// How long an answer may take, and how long it waits between renewals: a third of the lease.
    period: Duration,
}

impl LeaseKeeper {
    pub(super) fn new(
        keeper: etcd_client::LeaseKeeper,
        answers: etcd_client::LeaseKeepAliveStream,
        period: Duration,
    ) -> Self {
        Self { keeper, answers, period }
    }

    /// Renews until it fails. `promise` is told of each confirmed renewal.
    pub(in crate::cluster) async fn run(mut self, promise: Promise) -> LeaseEnd {
        loop {
            match self.renew(&promise).await {
                Ok(true) => sleep(self.period).await,
                Ok(false) => {
                    promise.end();
                    return LeaseEnd::Gone;
                }
                Err(error) => return LeaseEnd::Unknown(error),
            }
        }
    }

    /// False: etcd does not know the lease any more.
    async fn renew(&mut self, promise: &Promise) -> Result<bool, EtcdError> {
        let sent = boot_now();
        let asking = async {
            self.keeper.keep_alive().await?;
            self.answers.message().await
        };
        let answer = timeout(self.period, asking).await.map_err(|_| EtcdError::Late(self.period))??;
        let Some(answer) = answer else { return Err(EtcdError::Failed("the lease's stream has ended".into())) };
        let lease = answer.ttl();
        if lease <= 0 {
            return Ok(false);
        }
        promise.renew(sent, seconds_of(lease));
        Ok(true)
    }
}
