//! The drive: events without pause, a fault every few seconds, and at the end everything has to have arrived.

use crate::event_daemon::EventDaemon;
use crate::faults::{BEFORE, Fault, Scene};
use crate::random::Random;
use crate::stored;
use crate::support::broker::Broker;
use crate::support::link::{Line, Link};
use crate::support::sender::Sender;
use crate::support::{root, wait_for};
use crate::verdict::Verdict;
use crate::witness::Witness;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A fault lasts this long at most, but for one that lasts until the client gives up a broker that takes events and
/// acknowledges none.
const LASTS_MOST: Duration = Duration::from_secs(6);
const UNTIL_REPLACED: Duration = Duration::from_secs(40);

/// The number of the fault that lasts so long, if there are as many.
const LONG_FAULT: u64 = 10;

/// Events live again after a fault: how late the newest may be.
const LIVE: f64 = 1500.0;

/// Runs until `events` have been seen, and their share of [`crate::FAULTS`].
pub(crate) fn drive(events: usize, seed: u64) -> Verdict {
    let broker = Broker::start();
    let link = Link::to(broker.port);
    let mut witness = Witness::of(broker.port);
    witness.wait_there();
    let mut daemon = EventDaemon::new(link.port);
    link.set(Line::Open);
    daemon.start();
    let mut scene = Scene { broker, link, witness, daemon };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} events, {elapsed}, {msg}").unwrap();
    let progress = ProgressBar::new(events as u64).with_style(style);

    let (mut random, mut faults, begun) = (Random(seed), Vec::new(), Instant::now());
    let mut recoveries: BTreeMap<Fault, Vec<f64>> = BTreeMap::new();
    wait_for_live(&scene, Instant::now());
    while scene.witness.count() < events || faults.len() * crate::EVENTS < crate::FAULTS * events {
        progress.set_position(scene.witness.count() as u64);
        std::thread::sleep(up_to(&mut random, Duration::from_secs(4)));
        let number = faults.len() as u64 + 1;
        let (fault, lasts) = match number {
            LONG_FAULT => (Fault::BrokerFrozen, UNTIL_REPLACED),
            _ => (Fault::ALL[random.below(Fault::ALL.len())], up_to(&mut random, LASTS_MOST)),
        };
        progress.set_message(format!("fault {number}: {fault:?} for {:.1} s", lasts.as_secs_f64()));
        scene.witness.fault(number);
        fault.run(&mut scene, BEFORE[random.below(BEFORE.len())], lasts);
        faults.push(fault);
        recoveries.entry(fault).or_default().push(wait_for_live(&scene, Instant::now()));
    }
    progress.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    for (fault, recoveries) in &recoveries {
        let slowest = recoveries.iter().copied().fold(0.0, f64::max);
        println!("  {fault:?}: {} times, live again after {slowest:.1} s at most", recoveries.len());
    }

    scene.daemon.stop();
    let Scene { broker, link, witness, daemon } = scene;
    // What waits when the daemon ends is the next one's.
    let next = Sender::start(daemon.store(), link.port, |_| {});
    next.flush();
    let waiting = next.status().waiting;
    next.wait("all events acknowledged", 300, |status| status.waiting + status.on_their_way == 0);
    drop(next);
    let stored = stored::read(&daemon.store());
    println!("  {} events in {seconds:.0} s; {waiting} waited when the daemon ended", stored.events.len());
    // What it has sent is read to the end.
    drop(broker);
    let verdict = Verdict::of(&stored, witness, faults.len());
    if !verdict.is_kept() {
        daemon.copy_evidence(&root().join("target/reports/delivery-evidence"));
    }
    verdict
}

/// Waits until something arrives that has happened after `since`, not much later: the seconds that took.
fn wait_for_live(scene: &Scene, since: Instant) -> f64 {
    let before = scene.witness.count();
    wait_for("live events", Duration::from_secs(240), || {
        let is_live = scene.witness.count() > before && scene.witness.newest()?.delay_ms < LIVE;
        is_live.then_some(())
    });
    since.elapsed().as_secs_f64()
}

fn up_to(random: &mut Random, most: Duration) -> Duration {
    Duration::from_millis(200 + random.below(most.as_millis() as usize - 200) as u64)
}
