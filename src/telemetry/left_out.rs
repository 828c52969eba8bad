//! Counts the log lines that were left out: a line that comes after them carries their number in the field `left_out`
//! ([`LineLimit`](crate::vision::line_limit::LineLimit)), so that a line and its count cannot differ.

use crate::telemetry::log_queue::LogQueue;
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The field of the number.
const FIELD: &str = "left_out";

/// Adds up the numbers of all lines.
pub(super) struct LeftOutCounter(pub(super) LogQueue);

impl<S: Subscriber> Layer<S> for LeftOutCounter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().fields().field(FIELD).is_some() {
            let mut count = Count(0);
            event.record(&mut count);
            self.0.count_left_out(count.0);
        }
    }
}

struct Count(u64);

impl Visit for Count {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == FIELD {
            self.0 = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::troubles::Troubles;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn the_numbers_of_all_lines_are_added_up() {
        let queue = LogQueue::start(None, Troubles::default()).unwrap();
        let subscriber = tracing_subscriber::registry().with(LeftOutCounter(queue.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(left_out = Some(3_u64), "a line");
            tracing::warn!(left_out = None::<u64>, "a line");
            tracing::info!(left_out = 4_u64, other = 7_u64, "a line");
            tracing::info!(other = 7_u64, "a line");
        });
        assert_eq!(queue.left_out(), 7);
    }
}
