//! What the daemon's API holds of the cluster.

use crate::cluster::models::ModelOrderError;
use crate::cluster::peers::Peers;
use crate::cluster::records::ModelRecord;
use crate::cluster::session::{ModelOrder, Order};
use crate::cluster::status::ClusterStatus;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// How long an order may take: a renewal and two requests of etcd, each within its limit.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a box that stops waits until etcd knows.
const LEAVE_LIMIT: Duration = Duration::from_secs(2);

/// Asks the session of this box.
#[derive(Clone, Debug)]
pub struct ClusterClient {
    /// The cluster as this box sees it.
    pub status: watch::Receiver<ClusterStatus>,
    /// The boxes that take calls of this one.
    pub peers: watch::Receiver<Peers>,
    /// Takes orders.
    pub orders: mpsc::Sender<Order>,
}

impl ClusterClient {
    /// Has this box give all cameras of the cluster away, or take some again.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub async fn drain(&self, is_draining: bool) -> Result<(), String> {
        let (reply, replied) = oneshot::channel();
        let asked = async {
            self.orders.send(Order::Drain(is_draining, reply)).await.ok()?;
            replied.await.ok()
        };
        match timeout(LIMIT, asked).await {
            Ok(Some(done)) => done,
            Ok(None) => Err("the box has left the cluster".to_owned()),
            Err(_) => Err("the cluster's etcd does not answer".to_owned()),
        }
    }

    /// Has all boxes that share a model run it so. `before`: the revision of what was wanted by which that was decided.
    ///
    /// # Errors
    /// When there is no room for it, or etcd does not answer.
    pub async fn want(&self, model: String, wanted: ModelRecord, before: Option<i64>) -> Result<(), ModelOrderError> {
        let (reply, replied) = oneshot::channel();
        let asked = async {
            self.orders.send(Order::Model(ModelOrder { model, wanted, before, reply })).await.ok()?;
            replied.await.ok()
        };
        let not_now = |why: &str| Err(ModelOrderError::NotNow(why.to_owned()));
        match timeout(LIMIT, asked).await {
            Ok(Some(done)) => done,
            Ok(None) => not_now("the box has left the cluster"),
            // It may be carried out yet.
            Err(_) => {
                not_now("the cluster's etcd does not answer: look at `ocelli cluster status` whether it has the change")
            }
        }
    }

    /// Leaves the cluster: others take the cameras at once.
    pub async fn leave(&self) {
        let (reply, replied) = oneshot::channel();
        let asked = async {
            self.orders.send(Order::Leave(reply)).await.ok()?;
            replied.await.ok()
        };
        // The lease ends by itself otherwise.
        drop(timeout(LEAVE_LIMIT, asked).await);
    }
}
