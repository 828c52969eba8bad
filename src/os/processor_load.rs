//! How much of the machine's processors is free, by `/proc/stat` (proc(5)).

/// The counts of the last look.
#[derive(Debug, Default)]
pub struct ProcessorLoad {
    idle: u64,
    total: u64,
}

impl ProcessorLoad {
    /// The share of all processors that was idle since the last look, 0..=1; 1 if it cannot be read.
    pub fn idle_share(&mut self) -> f32 {
        let Ok(text) = std::fs::read_to_string("/proc/stat") else { return 1.0 };
        self.look(&text)
    }

    fn look(&mut self, text: &str) -> f32 {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        // user nice system idle iowait irq softirq steal; guest times are in user.
        let counts: Vec<u64> = line.split_whitespace().take(8).filter_map(|count| count.parse().ok()).collect();
        let (total, idle) = (counts.iter().sum::<u64>(), counts.iter().skip(3).take(2).sum::<u64>());
        let (of_all, of_idle) = (total.saturating_sub(self.total), idle.saturating_sub(self.idle));
        (self.total, self.idle) = (total, idle);
        if of_all == 0 { 1.0 } else { of_idle as f32 / of_all as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_share_of_idle_ticks_since_the_last_look() {
        let mut load = ProcessorLoad::default();
        assert!((load.look("cpu  50 0 50 80 20 0 0 0 0 0\n") - 0.5).abs() < 1e-6);
        assert!((load.look("cpu  80 0 50 90 20 0 0 0 0 0\n") - 0.25).abs() < 1e-6);
        assert!((load.look("cpu  80 0 50 90 20 0 0 0 0 0\n") - 1.0).abs() < 1e-6, "no time has passed");
        assert!((load.look("nonsense") - 1.0).abs() < 1e-6);
    }
}
