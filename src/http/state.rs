//! What the handlers of a server share.

use crate::clips::Clips;
use crate::cluster::ClusterClient;
use crate::control::Control;
use crate::control::event_pictures::EventPictures;
use crate::control::history::HistoryBook;
use crate::control::scenes::SceneClient;
use crate::http::body::BodyBudget;
use crate::http::login::reception::Reception;
use crate::http::rekognition::RekognitionState;
use crate::http::s3::S3State;
use crate::http::settings::SessionSettings;
use crate::telemetry::metrics::Metrics;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;
use tokio::sync::watch;

/// The state of the event loop, for `/healthz` and `/readyz`.
#[derive(Clone, Debug)]
pub struct HealthReport {
    /// When the event loop last made this report. An old report means that the loop hangs.
    pub alive_at: Monotonic,
    /// Every unit is in service.
    pub ready: bool,
    /// What is degraded, in sentences for the operator.
    pub reasons: Vec<String>,
}

impl HealthReport {
    /// The report before the event loop has made its first one.
    pub fn starting(now: Monotonic) -> Self {
        Self { alive_at: now, ready: false, reasons: vec!["starting".into()] }
    }
}

/// What the page shows and changes, beside what other clients ask for.
#[derive(Clone, Debug, Default)]
pub struct PageState {
    /// The last hour in numbers.
    pub history: HistoryBook,
    /// The last pictures of events.
    pub pictures: EventPictures,
    /// Clips of events.
    pub clips: Option<Clips>,
    /// Changes the areas of cameras; without it nobody can.
    pub scenes: Option<SceneClient>,
}

/// State of all handlers of one address.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// Encoded for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Answers `/healthz` and `/readyz`.
    pub health: watch::Receiver<HealthReport>,
    /// Answers `/api`.
    pub control: Control,
    /// Answers AWS clients.
    pub rekognition: RekognitionState,
    /// What the page shows beside all that.
    pub page: PageState,
    /// Asks the cluster, if the box is in one.
    pub cluster: Option<ClusterClient>,
    /// Knows the people at the page.
    pub reception: Reception,
    /// Answers clients of S3.
    pub(super) s3: S3State,
    /// Room for request bodies of AWS clients.
    pub(super) budget: BodyBudget,
}

impl HttpState {
    /// State with a body budget of its own, for a box whose settings have no people.
    pub fn new(
        metrics: Arc<Metrics>,
        health: watch::Receiver<HealthReport>,
        control: Control,
        rekognition: RekognitionState,
    ) -> Self {
        let reception = Reception::new(Vec::new(), &SessionSettings::default(), Arc::clone(&metrics));
        let (page, s3, budget) = (PageState::default(), S3State::default(), BodyBudget::default());
        Self { metrics, health, control, rekognition, page, cluster: None, reception, s3, budget }
    }

    /// The same with what the page shows.
    #[must_use]
    pub fn with_page(self, page: PageState) -> Self {
        Self { page, ..self }
    }

    /// The same on a box in a cluster.
    #[must_use]
    pub fn with_cluster(self, cluster: Option<ClusterClient>) -> Self {
        Self { cluster, ..self }
    }

    /// The same state with a reception that others share.
    #[must_use]
    pub fn with_reception(self, reception: Reception) -> Self {
        Self { reception, ..self }
    }

    /// The same state with limits of its own, for the public address: strangers can use up neither the body budget nor
    /// the CPU turns of clients on the box itself.
    pub(super) fn for_strangers(&self) -> Self {
        let (rekognition, s3) = (self.rekognition.for_strangers(), self.s3.for_strangers());
        Self { budget: BodyBudget::default(), rekognition, s3, ..self.clone() }
    }
}
