//! The processor cores that receiving and decoding takes, by camera: what a cluster counts with when it plans.

use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long is measured at once: a camera that takes a hundredth of a core has used 0.3 s by then.
const PERIOD: Duration = Duration::from_secs(30);

/// What a peak loses with each period: a half in half an hour.
const DECAY: f32 = 0.988_5;

/// What was measured so far.
#[derive(Debug, Default)]
pub(super) struct DecodingUse {
    begun_at: Option<Monotonic>,
    /// The cameras of each process, and what it had used, when the period began.
    begun: BTreeMap<u32, (Vec<CameraId>, Duration)>,
    /// The most cores that each camera took, which fades.
    peaks: BTreeMap<CameraId, f32>,
}

impl DecodingUse {
    /// Measures, if a period is over. `processes` are the capture processes with their cameras, between which the time of a process
    /// is split evenly; `time` says what a process has used since it started.
    pub(super) fn look(
        &mut self,
        processes: &BTreeMap<u32, Vec<CameraId>>,
        now: Monotonic,
        time: impl Fn(u32) -> Option<Duration>,
    ) {
        let since = self.begun_at.map(|begun_at| now.since(begun_at));
        if since.is_some_and(|since| since < PERIOD) {
            return;
        }
        let look = |(pid, cameras): (&u32, &Vec<CameraId>)| Some((*pid, (cameras.clone(), time(*pid)?)));
        let looks: BTreeMap<u32, (Vec<CameraId>, Duration)> = processes.iter().filter_map(look).collect();
        self.peaks.retain(|camera, _| processes.values().flatten().any(|id| id == camera));
        for (pid, (cameras, used)) in &looks {
            // A process that is new, or has other cameras than before, is measured from now on.
            let same = self.begun.get(pid).filter(|(before, _)| before == cameras);
            let (Some(since), Some((_, before))) = (since, same) else { continue };
            let used = used.saturating_sub(*before);
            let cores = used.as_secs_f32() / since.as_secs_f32() / cameras.len().max(1) as f32;
            for camera in cameras {
                let peak = self.peaks.entry(camera.clone()).or_insert(cores);
                *peak = (*peak * DECAY).max(cores);
            }
        }
        (self.begun, self.begun_at) = (looks, Some(now));
    }

    /// The cores of a camera; 0 if it was not measured yet.
    pub(super) fn cores_of(&self, camera: &CameraId) -> f32 {
        self.peaks.get(camera).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn id(name: &str) -> CameraId {
        CameraId::new(name).unwrap()
    }

    #[test]
    fn a_camera_counts_with_its_part_of_a_process_once_that_was_measured() {
        let mut used = DecodingUse::default();
        let mut processes = BTreeMap::from([(1, vec![id("yard")]), (2, vec![id("gate"), id("hall")])]);
        let clock = |seconds: u64| move |pid: u32| Some(Duration::from_millis(seconds * 200 * u64::from(pid)));
        used.look(&processes, at(100), clock(100));
        assert!(used.cores_of(&id("yard")) < f32::EPSILON);
        used.look(&processes, at(120), clock(500));
        used.look(&processes, at(140), clock(140));
        for camera in ["yard", "gate", "hall"] {
            assert!((used.cores_of(&id(camera)) - 0.2).abs() < 1e-4, "{camera}");
        }
        // A peak fades; a process that has ended, and one that is new, say nothing of this period.
        used.look(&processes, at(180), |_| Some(Duration::from_secs(28)));
        assert!((used.cores_of(&id("yard")) - 0.2 * DECAY).abs() < 1e-4);
        processes = BTreeMap::from([(3, vec![id("yard")])]);
        used.look(&processes, at(220), clock(220));
        assert!(used.cores_of(&id("yard")) > 0.1 && used.cores_of(&id("gate")) < f32::EPSILON);
        // One that joins a running process is not charged with what that used without it.
        processes = BTreeMap::from([(3, vec![id("yard"), id("gate")])]);
        used.look(&processes, at(260), |_| Some(Duration::from_secs(900)));
        assert!(used.cores_of(&id("yard")) < 1.0 && used.cores_of(&id("gate")) < f32::EPSILON);
    }
}
