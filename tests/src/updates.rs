//! How long it takes a living twin to learn from one more reading.

use crate::sbc::design;
use std::time::Instant;
use twin_calibrate::living::{Particles, Twin};
use twin_core::{Patient, Random};

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The milliseconds that one more PSA takes with 1000 particles: the median over the updates of one patient, each the fastest of five.
///
/// # Errors
/// In words.
pub fn milliseconds() -> Result<f64, String> {
    let design = design("sensitive_resistant", true)?;
    let mut random = Random::new(5);
    let (_, patient) = design.draw(&mut random).map_err(words)?;
    let nobody = Patient { timeline: Default::default(), ..patient.clone() };
    let mut twin = Twin::unseen(design.assumptions.clone(), nobody, 1000, &mut random).map_err(words)?;
    let mut times = Vec::new();
    for entry in patient.timeline.entries() {
        let update = |random: &mut Random| {
            let (start, method) = (Instant::now(), Particles::default());
            let next = twin.update(entry.time, entry.event.clone(), entry.provenance.clone(), &method, random);
            next.map(|next| (start.elapsed().as_secs_f64() * 1e3, next)).map_err(words)
        };
        let mut runs = (0..5).map(|_| update(&mut random)).collect::<Result<Vec<_>, String>>()?;
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (time, next) = runs.swap_remove(0);
        // A treatment changes no prediction of a reading before it, and costs next to nothing.
        if matches!(entry.event, twin_core::Event::Observation(_)) {
            times.push(time);
        }
        twin = next;
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().ok_or_else(|| "no update".to_owned())
}
