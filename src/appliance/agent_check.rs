//! Answers a load balancer that asks how much room this box has: one line per connection (HAProxy's agent-check).

use crate::cluster::{BoxStatus, CallRoom, ClusterStatus, Headroom};
use crate::control::{ApplianceStatus, judge};
use crate::os::clock::monotonic_now;
use crate::supervisor::{ModelState, ModelStatus};
use crate::telemetry::troubles::Troubles;
use crate::vision::line_limit::LineLimit;
use crate::vision::reconnect_ladder::seconds_before_try;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Connections that are answered at a time; further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 16;

/// How long a connection may take to be given its line. The line fits the buffer of a socket, so that only a broken one waits.
const LIMIT: Duration = Duration::from_secs(1);

/// How long to wait when no connection can be accepted, as without free descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The part that [`Troubles`] names.
const PART: &str = "agent check";

/// Where the answer comes from.
#[derive(Clone, Debug)]
pub struct AgentSources {
    /// The box.
    pub status: watch::Receiver<ApplianceStatus>,
    /// Whether it drains.
    pub cluster: watch::Receiver<ClusterStatus>,
    /// True once the daemon is to stop.
    pub is_stopping: watch::Receiver<bool>,
}

impl AgentSources {
    fn answer(&self) -> String {
        // One after the other: whoever held both at once would have to hold them in one order.
        let box_id = self.status.borrow().box_id.clone();
        let (is_draining, is_last) = self.in_cluster(&box_id);
        let status = self.status.borrow();
        let is_leaving = is_draining || *self.is_stopping.borrow() || judge::is_stale(&status, monotonic_now());
        let models = status.models.values().filter_map(|model| Some((call_room(model)?, model.in_service)));
        Headroom { is_leaving, is_last, models: models.collect() }.agent_answer()
    }

    /// Whether this box drains, and whether no other box has units.
    fn in_cluster(&self, box_id: &str) -> (bool, bool) {
        let cluster = self.cluster.borrow();
        let has_units = |it: &BoxStatus| !it.draining && it.capacity_tps.values().any(|tps| *tps > 0.0);
        let is_draining = cluster.boxes.get(box_id).is_some_and(|own| own.draining);
        (is_draining, !cluster.boxes.iter().any(|(id, it)| id != box_id && has_units(it)))
    }
}

/// What a model can do for callers; `None` unless it runs with a unit in service.
#[expect(clippy::cast_possible_truncation, reason = "rates of a few digits")]
pub(super) fn call_room(model: &ModelStatus) -> Option<CallRoom> {
    let room = model.image_room;
    let takes_calls = model.state == ModelState::Running && model.in_service > 0;
    takes_calls.then_some(CallRoom { whole_tps: room.whole_tps as f32, free_tps: room.free_tps as f32 })
}

/// Answers until the daemon ends: one that stops says `drain`. A port that is taken is tried again, and `troubles` says so.
pub async fn serve(address: SocketAddr, sources: AgentSources, troubles: Troubles) {
    let listener = listen(address, &troubles).await;
    let (places, mut lines) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), LineLimit::default());
    // It is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let answer = sources.answer();
                tokio::spawn(async move {
                    // A load balancer that has gone asks again.
                    drop(timeout(LIMIT, tell(stream, answer)).await);
                    drop(place);
                });
            }
            Err(error) => {
                if let Some(left_out) = lines.admit(monotonic_now()) {
                    let count = left_out.count();
                    tracing::warn!(%error, left_out = count, "an agent check could not be accepted{left_out}");
                }
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn tell(mut stream: TcpStream, answer: String) -> std::io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

async fn listen(address: SocketAddr, troubles: &Troubles) -> TcpListener {
    let mut failures = 0;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                troubles.clear(PART);
                tracing::info!(%address, "load balancers are told how much room this box has");
                return listener;
            }
            Err(error) => {
                let trouble = format!(
                    "no load balancer is told of this box's room: {address} cannot be listened to: {error}; it is retried, or choose \
                     another `cluster.agent_listen`"
                );
                if troubles.set(PART, trouble.clone()) {
                    tracing::warn!("{trouble}");
                }
            }
        }
        sleep(Duration::from_secs(seconds_before_try(failures))).await;
        failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::ImageRoom;
    use std::collections::BTreeMap;

    /// Of a box beside which another one runs a model.
    fn sources(state: ModelState, is_draining: bool, is_stopping: bool) -> AgentSources {
        let image_room = ImageRoom { whole_tps: 10.0, free_tps: 4.0 };
        let model = ModelStatus { state, in_service: 1, image_room, ..ModelStatus::default() };
        let status = ApplianceStatus {
            box_id: "gate".into(),
            models: BTreeMap::from([("coco-ssd".to_owned(), model)]),
            ..ApplianceStatus::default()
        };
        let own = BoxStatus { draining: is_draining, ..BoxStatus::default() };
        let other = BoxStatus { capacity_tps: [("coco-ssd".to_owned(), 10.0)].into(), ..BoxStatus::default() };
        let boxes = BTreeMap::from([("gate".to_owned(), own), ("yard".to_owned(), other)]);
        let cluster = ClusterStatus { boxes, ..ClusterStatus::default() };
        let is_stopping = watch::channel(is_stopping).1;
        AgentSources { status: watch::channel(status).1, cluster: watch::channel(cluster).1, is_stopping }
    }

    #[test]
    fn a_box_drains_when_it_is_told_to_stops_or_runs_no_model() {
        assert_eq!(sources(ModelState::Running, false, false).answer(), "ready up 40%\n");
        for sources in [
            sources(ModelState::Running, true, false),
            sources(ModelState::Running, false, true),
            sources(ModelState::Starting, false, false),
            sources(ModelState::Failed, false, false),
        ] {
            assert_eq!(sources.answer(), "drain\n");
        }
    }

    #[test]
    fn where_no_box_has_a_unit_the_call_that_starts_a_model_is_taken() {
        let alone = AgentSources {
            cluster: watch::channel(ClusterStatus::default()).1,
            ..sources(ModelState::Stopped, false, false)
        };
        assert_eq!(alone.answer(), "ready up 1%\n");
    }
}
