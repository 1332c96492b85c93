//! How likely it is to be still uncensored.

use super::FollowUp;

/// The probability to be still uncensored after each time of a censoring. Events at the same time come before it.
pub(super) struct Censoring {
    steps: Vec<(f64, f64)>,
}

impl Censoring {
    /// The product-limit estimate, for follow-ups with finite times.
    pub(super) fn estimate(follow_ups: impl Iterator<Item = FollowUp>) -> Self {
        let mut ordered: Vec<FollowUp> = follow_ups.collect();
        ordered.sort_by(|a, b| a.time.total_cmp(&b.time));
        let (mut left, mut free, mut steps) = (ordered.len(), 1.0, Vec::new());
        for tied in ordered.chunk_by(|a, b| a.time.total_cmp(&b.time).is_eq()) {
            let censored = tied.iter().filter(|seen| !seen.event).count();
            if let (Some(first), true) = (tied.first(), censored > 0) {
                let at_risk = left - (tied.len() - censored);
                free *= 1.0 - censored as f64 / at_risk as f64;
                steps.push((first.time, free));
            }
            left -= tied.len();
        }
        Self { steps }
    }

    /// The steps at or after `time`: when, and the probability to be uncensored after it.
    pub(super) fn from(&self, time: f64) -> &[(f64, f64)] {
        self.steps.get(self.steps.partition_point(|(at, _)| *at < time)..).unwrap_or_default()
    }

    /// The probability to be uncensored just before `time`.
    pub(super) fn before(&self, time: f64) -> f64 {
        self.after(self.steps.partition_point(|(at, _)| *at < time))
    }

    /// The probability to be uncensored after `time`.
    pub(super) fn at(&self, time: f64) -> f64 {
        self.after(self.steps.partition_point(|(at, _)| *at <= time))
    }

    fn after(&self, steps: usize) -> f64 {
        steps.checked_sub(1).and_then(|last| self.steps.get(last)).map_or(1.0, |(_, free)| *free)
    }
}
