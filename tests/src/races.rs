//! Races: ours against a rival or a limit, in turn, in one process.

pub mod cases;
pub mod engine;
pub mod ensemble;
pub mod inference;
pub mod planning;
pub mod reading;
#[cfg(feature = "rivals")]
pub mod rival_solvers;
#[cfg(feature = "rivals")]
pub mod work_precision;

use std::time::Instant;

/// What came of a race.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Our time, in seconds.
    pub ours_s: f64,
    /// The rival's time, in seconds; `None` if it is not installed.
    pub rival_s: Option<f64>,
    /// Rival over ours.
    pub ratio: Option<f64>,
    /// What was timed.
    pub what: String,
}

impl Row {
    /// The row of a rival that is there.
    #[must_use]
    pub fn new(id: &str, (ours, rival): (f64, f64), what: impl Into<String>) -> Self {
        Self { id: id.to_owned(), ours_s: ours, rival_s: Some(rival), ratio: Some(rival / ours), what: what.into() }
    }
}

/// The least time of `repeats` batches of each contestant, taken in turn so that a drift of the machine meets both.
pub fn duel(repeats: usize, batch: usize, ours: &mut dyn FnMut(), rival: &mut dyn FnMut()) -> (f64, f64) {
    let mut best = (f64::INFINITY, f64::INFINITY);
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..batch).for_each(|_| work());
        start.elapsed().as_secs_f64() / batch as f64
    };
    for _ in 0..repeats {
        best = (best.0.min(time(ours)), best.1.min(time(rival)));
    }
    best
}
