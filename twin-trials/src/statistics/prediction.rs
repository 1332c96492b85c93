//! How good predicted risks are at a time, when some follow-ups ended before it.

use super::censoring::Censoring;
use super::{Coefficient, CoxRegression, FollowUp, KaplanMeier, Period};
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// How well predictions of the event by a time agree with what was seen, with inverse-probability-of-censoring weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictionScore {
    /// The time.
    pub time: f64,
    /// The area under the receiver operating characteristic, cumulative cases against dynamic controls: how well the predictions tell
    /// those with the event by the time from those without it (Uno 2007, doi:10.1198/016214507000000149); ties count one half.
    pub area_under_curve: f64,
    /// The Brier score: the mean squared difference between prediction and what was seen; smaller is better (Graf 1999,
    /// doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5).
    pub brier: f64,
    /// The Brier score of predicting the Kaplan-Meier estimate for everybody: what a model must beat.
    pub brier_of_no_model: f64,
    /// Subjects with the event by the time.
    pub cases: usize,
    /// Subjects known to be free of it at the time.
    pub controls: usize,
}

/// Scores predicted probabilities `risks` of the event by `time` against `follow_ups`.
///
/// A subject censored before the time says nothing, and the others count for those like it: a case by one over the probability to be
/// uncensored just before its event, a control by one over that at the time (censoring alike for all).
///
/// ```
/// use twin_trials::statistics::{FollowUp, score_predictions};
/// let seen = [FollowUp::event(1.0), FollowUp::event(2.0), FollowUp::censored(6.0), FollowUp::event(8.0)];
/// let score = score_predictions(&seen, &[0.9, 0.7, 0.2, 0.4], 5.0)?;
/// assert_eq!(score.area_under_curve, 1.0);
/// assert!(score.brier < score.brier_of_no_model);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Empty`], [`TrialError::NotFinite`], [`TrialError::OutOfRange`] and [`TrialError::Length`] for follow-ups, risks (0 to 1) or
/// a time (above 0) that are not valid; [`TrialError::BeyondFollowUp`] past the last follow-up; [`TrialError::NothingToCompare`] without
/// a case or without a control.
pub fn score_predictions(follow_ups: &[FollowUp], risks: &[f64], time: f64) -> Result<PredictionScore, TrialError> {
    let curve = KaplanMeier::estimate(follow_ups)?;
    super::finite("predicted risk", risks)?;
    if risks.len() != follow_ups.len() {
        let (what, reference) = ("the list of risks", "the list of follow-ups");
        return Err(TrialError::Length { what, found: risks.len(), reference, expected: follow_ups.len() });
    }
    if let Some((index, &value)) = risks.iter().enumerate().find(|(_, risk)| !(0.0..=1.0).contains(*risk)) {
        return Err(TrialError::OutOfRange { what: "predicted risk", index, value, valid: "from 0 to 1" });
    }
    if !(time.is_finite() && time > 0.0) {
        return Err(TrialError::OutOfRange { what: "time of prediction", index: 0, value: time, valid: "above 0 and finite" });
    }
    let last = curve.last_follow_up();
    if time > last {
        return Err(TrialError::BeyondFollowUp { time, last });
    }
    let censoring = Censoring::estimate(follow_ups.iter().copied());
    let (mut cases, mut controls) = (Vec::new(), Vec::new());
    for (seen, &risk) in follow_ups.iter().zip(risks) {
        if seen.event && seen.time <= time {
            cases.push((risk, 1.0 / censoring.before(seen.time)));
        } else if seen.time > time {
            controls.push((risk, 1.0 / censoring.at(time)));
        }
    }
    if cases.is_empty() || controls.is_empty() {
        return Err(TrialError::NothingToCompare { groups: controls.len(), events: cases.len() });
    }
    let squared = |case: &dyn Fn(f64) -> f64, control: &dyn Fn(f64) -> f64| {
        let sum: f64 = cases.iter().map(|(risk, weight)| weight * case(*risk)).sum::<f64>()
            + controls.iter().map(|(risk, weight)| weight * control(*risk)).sum::<f64>();
        sum / follow_ups.len() as f64
    };
    let everybody = 1.0 - curve.survival_at(time)?.survival;
    Ok(PredictionScore {
        time,
        area_under_curve: area(&cases, &mut controls.clone()),
        brier: squared(&|risk| (1.0 - risk).powi(2), &|risk| risk * risk),
        brier_of_no_model: squared(&|_| (1.0 - everybody).powi(2), &|_| everybody * everybody),
        cases: cases.len(),
        controls: controls.len(),
    })
}

/// How far apart the hazards of `follow_ups` are, for every unit of the logarithms of hazards that a model predicted (its prognostic index): the
/// coefficient of a Cox regression on them (van Houwelingen 2000, doi:10.1002/1097-0258(20001230)19:24<3401::AID-SIM554>3.0.CO;2-2). 1 is right; below 1
/// the predictions are too extreme, as those of an overfitted model are.
///
/// ```
/// use twin_trials::statistics::{FollowUp, calibration_slope};
/// let seen = [3.0, 5.0, 6.0, 9.0, 11.0, 14.0].map(FollowUp::event);
/// let slope = calibration_slope(&seen, &[1.0, 0.2, 0.8, -0.1, 0.3, -0.9])?;
/// assert!(slope.estimate > 0.0);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Length`] unless there is one prediction for each follow-up; as [`CoxRegression::fit`](super::CoxRegression::fit).
pub fn calibration_slope(follow_ups: &[FollowUp], predicted: &[f64]) -> Result<Coefficient, TrialError> {
    if predicted.len() != follow_ups.len() {
        let (what, reference) = ("the list of predictions", "the list of follow-ups");
        return Err(TrialError::Length { what, found: predicted.len(), reference, expected: follow_ups.len() });
    }
    let periods: Vec<Period> = follow_ups.iter().zip(predicted).map(|(seen, index)| Period::new(*seen, [*index])).collect();
    let fit = CoxRegression::default().fit(&["predicted"], &periods)?;
    fit.coefficient("predicted").cloned()
}

/// The weighted share of pairs of a case and a control in which the case has the higher risk.
fn area(cases: &[(f64, f64)], controls: &mut [(f64, f64)]) -> f64 {
    controls.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut cumulated = Vec::with_capacity(controls.len() + 1);
    let mut sum = 0.0;
    cumulated.push(sum);
    for (_, weight) in controls.iter() {
        sum += weight;
        cumulated.push(sum);
    }
    let weight_before = |end: usize| cumulated.get(end).copied().unwrap_or(sum);
    let won = |(risk, weight): &(f64, f64)| {
        let below = weight_before(controls.partition_point(|(other, _)| other < risk));
        let up_to = weight_before(controls.partition_point(|(other, _)| other <= risk));
        weight * 0.5 * (below + up_to)
    };
    let total: f64 = cases.iter().map(|(_, weight)| weight).sum();
    cases.iter().map(won).sum::<f64>() / (total * sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_censoring_it_is_the_plain_score() {
        let seen = [1.0, 2.0, 3.0, 6.0, 7.0].map(FollowUp::event);
        let score = score_predictions(&seen, &[0.8, 0.3, 0.6, 0.3, 0.1], 4.0).unwrap();
        // Cases 0.8, 0.3, 0.6 against controls 0.3, 0.1: five pairs won, one tied.
        assert!((score.area_under_curve - 5.5 / 6.0).abs() < 1e-12);
        assert!((score.brier - (0.04 + 0.49 + 0.16 + 0.09 + 0.01) / 5.0).abs() < 1e-12);
        assert!((score.brier_of_no_model - 0.6 * 0.4).abs() < 1e-12);
    }

    #[test]
    fn the_censored_are_stood_for_by_others() {
        // Censored at 2, half of those left: the event at 3 and the control count twice, the event at 1 once.
        let seen =
            [FollowUp::event(1.0), FollowUp::censored(2.0), FollowUp::censored(2.0), FollowUp::event(3.0), FollowUp::event(9.0)];
        let score = score_predictions(&seen, &[0.5, 0.9, 0.9, 0.7, 0.6], 5.0).unwrap();
        assert!((score.area_under_curve - 2.0 / 3.0).abs() < 1e-12);
        assert!((score.brier - (0.25 + 2.0 * 0.09 + 2.0 * 0.36) / 5.0).abs() < 1e-12);
    }

    #[test]
    fn the_slope_of_exaggerated_predictions_is_below_one() {
        let mut random = twin_core::Random::new(11);
        let index: Vec<f64> = (0..800).map(|_| random.normal()).collect();
        let seen: Vec<FollowUp> = index.iter().map(|x| FollowUp::event(-random.uniform().ln() / x.exp())).collect();
        let slope = |factor: f64| {
            let predicted: Vec<f64> = index.iter().map(|x| factor * x).collect();
            calibration_slope(&seen, &predicted).unwrap()
        };
        let (right, twice) = (slope(1.0), slope(2.0));
        assert!((right.estimate - 1.0).abs() < 3.0 * right.standard_error, "{right:?}");
        assert!((twice.estimate - 0.5 * right.estimate).abs() < 1e-9);
        assert!(calibration_slope(&seen, &[1.0]).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        let seen = [FollowUp::event(1.0), FollowUp::event(3.0)];
        for (risks, time) in
            [(vec![0.5], 2.0), (vec![0.5, 1.5], 2.0), (vec![0.5, f64::NAN], 2.0), (vec![0.5, 0.5], 9.0), (vec![0.5, 0.5], 0.5)]
        {
            assert!(score_predictions(&seen, &risks, time).is_err(), "{risks:?} {time}");
        }
    }
}
