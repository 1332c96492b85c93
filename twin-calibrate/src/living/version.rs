//! What each version of a twin keeps of its making.

use crate::numeric::ln_sum_exp;
use crate::{CalibrationError, Posterior, Prior, Reading, Target};
use std::fmt;
use twin_core::{Entry, Event, Observable, Provenance, Time, Timeline};

/// What made a version.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The twin began, with everything on the timeline.
    Begun,
    /// One event was recorded: an observation or a treatment, in time or late.
    Recorded {
        /// When it happened.
        time: Time,
        /// The observable or the treatment.
        what: String,
        /// Where it is known from.
        provenance: Provenance,
    },
    /// The timeline was replaced by a corrected one.
    Corrected {
        /// How many entries are new.
        added: usize,
        /// How many entries are gone.
        removed: usize,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => write!(f, "begun"),
            Self::Recorded { time, what, provenance } => write!(f, "{what} at {time}, from {}", provenance.source),
            Self::Corrected { added, removed } => write!(f, "corrected: {added} entries added, {removed} removed"),
        }
    }
}

impl Change {
    pub(super) fn recorded(entry: &Entry) -> Self {
        let what = match &entry.event {
            Event::Observation(observation) => observation.observable.to_string(),
            Event::Treatment(treatment) => treatment.to_string(),
            Event::Advice(advice) => advice.to_string(),
            Event::Decision(decision) => decision.to_string(),
            Event::Outcome(outcome) => outcome.to_string(),
            _ => "an event".to_owned(),
        };
        Self::Recorded { time: entry.time, what, provenance: entry.provenance.clone() }
    }
}

/// By how much the belief about one parameter changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// The parameter.
    pub parameter: String,
    /// How far the mean went on the real line of its transform, in former standard deviations.
    pub by: f64,
    /// The new standard deviation as a share of the former.
    pub spread: f64,
}

/// How well one reading was foreseen by the version before it learned of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Surprise {
    /// When it was read.
    pub time: Time,
    /// The observable.
    pub observable: Observable,
    /// The predictive probability of a lower value; for a reading beyond a limit the probability of that limit's side.
    pub below: f64,
    /// The reading as a standard normal number, were the model right: beyond 3 either way is rare. `None` for a censored reading.
    pub score: Option<f64>,
    /// The logarithm of the predictive density, or of the probability of a censored reading.
    pub ln_density: f64,
    /// Whether it speaks for or against the model: not if the reading, or something that the version before it knew, was corrected since.
    pub counts: bool,
}

/// One version of a twin.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number, from 1.
    pub number: usize,
    /// What made it.
    pub change: Change,
    /// The method, in words.
    pub method: String,
    /// Whether the posterior passed its diagnosis.
    pub sound: bool,
    /// How the belief about each parameter changed; empty for the first version.
    pub shifts: Vec<Shift>,
    /// How well each new reading was foreseen.
    pub surprises: Vec<Surprise>,
}

/// The shifts from the posterior `before` to `after`, on the real line of `prior`.
pub(super) fn shifts(prior: &dyn Prior, before: &Posterior, after: &Posterior) -> Vec<Shift> {
    let moments = |posterior: &Posterior, j: usize| {
        let transform = prior.transforms().get(j).copied();
        let real = |draw: &[f64]| Some(transform?.to_real(*draw.get(j)?));
        let column: Vec<f64> = posterior.draws().filter_map(real).collect();
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        let variance = column.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / column.len() as f64;
        (mean, variance.sqrt())
    };
    let shift = |(j, name): (usize, &String)| {
        let (old, new) = (moments(before, j), moments(after, j));
        Shift { parameter: name.clone(), by: (new.0 - old.0) / old.1, spread: new.1 / old.1 }
    };
    prior.names().iter().enumerate().map(shift).collect()
}

/// Draws that are asked at most how well they foresaw a reading.
const ASKED: usize = 250;

/// How well `before` foresaw the readings of `target` that `is_new` picks by their place among the observations of `timeline`.
pub(super) fn surprises(
    target: &Target<'_>,
    timeline: &Timeline,
    before: &Posterior,
    is_new: impl Fn(usize) -> bool,
) -> Result<Vec<Surprise>, CalibrationError> {
    let observations: Vec<_> = timeline.observations().collect();
    let asked = ASKED.min(before.count());
    // By reading: its place, whether it is censored, and for each draw the logarithms of the density and of both tails.
    let mut seen: Vec<(usize, bool, Vec<[f64; 3]>)> = Vec::new();
    for k in 0..asked {
        let draw = before.draw(k * before.count() / asked)?;
        let mut nth = 0;
        let mut terms = Vec::new();
        let judged = target.judge(draw, |place, error, predicted, reading, values| {
            if !is_new(place) {
                return;
            }
            let tails = error.ln_tails(predicted, reading, values);
            let censored = !matches!(reading, Reading::Value { .. });
            terms.push((nth, place, censored, [error.ln_likelihood(predicted, reading, values), tails[0], tails[1]]));
            nth += 1;
        });
        if !judged {
            continue;
        }
        for (nth, place, censored, term) in terms {
            if seen.len() <= nth {
                seen.push((place, censored, Vec::with_capacity(asked)));
            }
            if let Some((_, _, all)) = seen.get_mut(nth) {
                all.push(term);
            }
        }
    }
    let judge = |(place, censored, terms): &(usize, bool, Vec<[f64; 3]>)| {
        let (time, observation) = observations.get(*place)?;
        let mean = |i: usize| ln_sum_exp(terms.iter().map(|term| term[i])) - (terms.len() as f64).ln();
        let (ln_density, below, above) = (mean(0), mean(1), mean(2));
        let score = (!censored).then(|| if below < above { quantile(below) } else { -quantile(above) });
        Some(Surprise {
            time: *time,
            observable: observation.observable.clone(),
            below: below.exp(),
            score,
            ln_density,
            counts: true,
        })
    };
    Ok(seen.iter().filter_map(judge).collect())
}

/// The standard normal quantile of the probability `exp(ln_probability)`, at most one half; minus infinity where it underflows.
pub(super) fn quantile(ln_probability: f64) -> f64 {
    let probability = ln_probability.exp().min(0.5);
    if probability > 0.0 {
        -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * probability)
    } else {
        // The tail beyond the range of a float: -x²/2 is its logarithm to leading order.
        -(-2.0 * ln_probability).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_reach_into_the_tail() {
        assert!(quantile(0.5_f64.ln()).abs() < 1e-12);
        assert!((quantile(0.025_f64.ln()) + 1.959_964).abs() < 1e-5);
        assert!(quantile(-2000.0) < -50.0 && quantile(-2000.0).is_finite());
    }
}
