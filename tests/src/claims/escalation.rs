//! Dose escalation against published operating characteristics, all computed over every course and not simulated.

use super::{Claim, Ours, words};
use std::sync::OnceLock;
use twin_trials::TrialError;
use twin_trials::design::{Boin, DoseFinding, DoseStep, ExactCharacteristics, ReassessmentMethod, Treated, exact_characteristics};

const NORRIS: &str = "Norris 2021, precautionary 0.2, article MCSE-Free: complete path enumeration of the design of Braun 2020, \
                      doi:10.1002/sim.8746";
const ZHAO: &str = "Zhao et al. 2024, doi:10.1158/1078-0432.CCR-23-2585, table 4, BOIN; simulated";

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = reassessment();
    claims.extend(boin());
    claims
}

/// The continual reassessment method with the stopping rule of the published design: five patients at the lowest dose, or ten at any.
struct Capped(ReassessmentMethod);

impl DoseFinding for Capped {
    fn cohort(&self) -> usize {
        2
    }

    fn next(&self, current: usize, seen: &[Treated]) -> Result<DoseStep, TrialError> {
        let full = seen.first().is_some_and(|dose| dose.patients >= 5) || seen.iter().any(|dose| dose.patients >= 10);
        if full { Ok(DoseStep::Stop) } else { self.0.next(current, seen) }
    }

    // The published tables count the dose that would be given next.
    fn recommend(&self, seen: &[Treated]) -> Result<Option<usize>, TrialError> {
        Ok(match self.0.next(0, seen)? {
            DoseStep::Give(dose) => Some(dose),
            DoseStep::Stop => None,
        })
    }
}

const SKELETON: [f64; 6] = [0.03, 0.11, 0.25, 0.42, 0.58, 0.71];

/// Every course of the published design, enumerated once for all rows.
fn braun() -> &'static Result<ExactCharacteristics, String> {
    static FOUND: OnceLock<Result<ExactCharacteristics, String>> = OnceLock::new();
    FOUND.get_or_init(enumerate)
}

fn enumerate() -> Result<ExactCharacteristics, String> {
    let mut method = ReassessmentMethod::new(0.25, &SKELETON).map_err(words)?;
    (method.variance, method.cohort, method.stop_above) = (0.85 * 0.85, 2, 1.0 - 1e-12);
    exact_characteristics(&Capped(method), &SKELETON, 15).map_err(words)
}

/// The expected share of the patients of a trial treated at `doses`.
fn share_at(found: &ExactCharacteristics, doses: std::ops::Range<usize>) -> f64 {
    let count = |seen: &[Treated]| seen.iter().map(|dose| dose.patients).sum::<usize>() as f64;
    found.endings.iter().map(|ending| ending.probability * count(&ending.seen[doses.clone()]) / count(&ending.seen)).sum()
}

fn reassessment() -> Vec<Claim> {
    let row = |id: &str, what: &str, expected: f64, tolerance: f64, of: fn(&ExactCharacteristics) -> f64| {
        let run = move || -> Ours { braun().as_ref().map(of).map_err(Clone::clone) };
        Claim::quick(format!("design.crm.{id}"), what, NORRIS, (expected, tolerance), run)
    };
    let mut claims = vec![
        row("courses", "courses that the escalation can take", 22_041.0, 0.0, |found| found.courses as f64),
        row("at_target", "share of patients at the target dose", 0.3895, 5e-5, |found| share_at(found, 2..3)),
        row("above_target", "share of patients above it", 0.1971, 5e-5, |found| share_at(found, 3..6)),
    ];
    let counts = [6178.0, 9266.0, 4864.0, 1314.0, 341.0, 78.0];
    let chances = [0.010_420, 0.248_309, 0.560_418, 0.172_114, 0.008_630, 0.000_109];
    for (dose, (count, chance)) in counts.into_iter().zip(chances).enumerate() {
        let courses = move || -> Ours {
            let ends = &braun().as_ref().map_err(Clone::clone)?.endings;
            Ok(ends.iter().filter(|end| end.recommended == Some(dose)).map(|end| end.courses as f64).sum())
        };
        let id = format!("design.crm.courses_{}", dose + 1);
        claims.push(Claim::quick(id, "courses that recommend the dose", NORRIS, (count, 0.0), courses));
        let probability = move || -> Ours { Ok(braun().as_ref().map_err(Clone::clone)?.recommended[dose]) };
        let id = format!("design.crm.recommended_{}", dose + 1);
        claims.push(Claim::quick(id, "probability to recommend the dose", NORRIS, (chance, 1e-6), probability));
    }
    claims
}

/// Percent correct and too high; patients below, at and above the target dose (the last dose is nowhere above, the first nowhere below).
type Published = (usize, [f64; 5], [f64; 2], [f64; 3]);

fn boin() -> Vec<Claim> {
    let scenarios: [Published; 5] = [
        (0, [0.25, 0.41, 0.45, 0.49, 0.53], [77.0, 16.7], [0.0, 8.7, 6.2]),
        (1, [0.12, 0.25, 0.42, 0.49, 0.55], [55.6, 14.5], [7.2, 8.4, 5.1]),
        (2, [0.04, 0.12, 0.25, 0.43, 0.63], [56.7, 12.3], [11.4, 8.0, 4.6]),
        (3, [0.02, 0.06, 0.1, 0.25, 0.4], [53.3, 17.1], [14.0, 7.7, 4.0]),
        (4, [0.02, 0.05, 0.08, 0.11, 0.25], [63.9, 0.0], [17.6, 7.3, 0.0]),
    ];
    let mut claims = Vec::new();
    for (target, toxicity, [correct, above], patients) in scenarios {
        let found = move || {
            let rule = Boin { enough: Some(9), stay_at_one_of_three: true, ..Boin::new(0.25).map_err(words)? };
            exact_characteristics(&rule, &toxicity, 10).map_err(words)
        };
        let row = |id: &str, what: &str, bound: (f64, f64), of: fn(&ExactCharacteristics, usize) -> f64| {
            let run = move || -> Ours { found().map(|found| of(&found, target)) };
            Claim::quick(format!("design.boin_zhao_{}.{id}", target + 1), what, ZHAO, bound, run)
        };
        // 1.5 points: three standard errors of a share near one half in 10,000 trials.
        claims.push(row("correct", "percent of trials that recommend the target dose", (correct, 1.5), |found, target| {
            100.0 * found.recommended[target]
        }));
        claims.push(row("above", "percent of trials that recommend a dose above it", (above, 1.5), |found, target| {
            100.0 * found.recommended[target + 1..].iter().sum::<f64>()
        }));
        claims.push(row("patients_below", "patients below the target dose", (patients[0], 0.2), |found, target| {
            found.patients[..target].iter().sum::<f64>() + 0.0
        }));
        claims.push(row("patients_at", "patients at the target dose", (patients[1], 0.2), |found, target| found.patients[target]));
        claims.push(row("patients_above", "patients above the target dose", (patients[2], 0.2), |found, target| {
            found.patients[target + 1..].iter().sum::<f64>() + 0.0
        }));
    }
    claims
}
