//! How good advice turned out to be: patients whose truth is known, by group and by what was known of them.

use super::sums::mean_and_error;
use super::{Estimate, Evaluation, Recommendation};
use crate::TrialError;
use crate::report::{Block, Column, Section, Table, format_number};

/// What was foreseen of one patient's most promising plan, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Realized {
    /// The probability of being best that was claimed for the plan.
    pub claimed_best: f64,
    /// Whether it was the best in truth: 1, 0, or a part where it ties.
    pub best: f64,
    /// The regret that was foreseen, in the unit of the objective.
    pub foreseen_regret: f64,
    /// The regret in truth: by how much the best plan would have been better.
    pub regret: f64,
    /// What was gained over the standard of care; positive is better.
    pub gain: f64,
    /// The 90 % interval that was foreseen for the plan.
    pub ninety: (f64, f64),
    /// What came.
    pub outcome: f64,
}

impl Realized {
    /// The first plan of `answer` judged by `truth`: the plans of the question, evaluated on the one patient as it is.
    ///
    /// # Errors
    /// [`TrialError::EmptyCohort`] for an answer without a plan; [`TrialError::UnknownName`] for a ranked plan or a standard that `truth`
    /// does not hold; [`TrialError::Count`] if `truth` is not of one patient.
    pub fn of(answer: &Recommendation, truth: &Evaluation) -> Result<Self, TrialError> {
        let first = answer.ranked.first().ok_or(TrialError::EmptyCohort)?;
        let came = |name: &String| {
            let unknown = || TrialError::UnknownName { name: name.clone(), known: truth.plans.clone() };
            let place = truth.plans.iter().position(|plan| plan == name).ok_or_else(unknown)?;
            match truth.values(place, 0) {
                [value] => Ok(*value),
                values => Err(TrialError::Count { what: "number of true patients", count: values.len(), valid: "1" }),
            }
        };
        let values = answer.ranked.iter().map(|ranked| came(&ranked.plan)).collect::<Result<Vec<_>, TrialError>>()?;
        let gains: Vec<f64> = values.iter().map(|value| answer.sense.gain(*value)).collect();
        let best = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let tied = gains.iter().filter(|gain| **gain >= best).count() as f64;
        let (outcome, own) = (came(&first.plan)?, answer.sense.gain(came(&first.plan)?));
        Ok(Self {
            claimed_best: first.probability_best,
            best: if own >= best { 1.0 / tied } else { 0.0 },
            foreseen_regret: first.regret.value,
            regret: best - own,
            gain: own - answer.sense.gain(came(&answer.standard)?),
            ninety: first.ninety,
            outcome,
        })
    }

    fn width(&self) -> f64 {
        self.ninety.1 - self.ninety.0
    }

    fn covered(&self) -> f64 {
        if (self.ninety.0..=self.ninety.1).contains(&self.outcome) { 1.0 } else { 0.0 }
    }
}

/// A group of patients, by what they are (a subgroup) or by what was known of them (access to a modality): means with standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPerformance {
    /// The group's name.
    pub name: String,
    /// How many patients it has.
    pub patients: usize,
    /// The probability of being best that was claimed.
    pub claimed_best: Estimate,
    /// How often the plan was the best; an honest claim is near it.
    pub best: Estimate,
    /// The claim less the truth, patient by patient.
    pub overclaim: Estimate,
    /// The regret that was foreseen.
    pub foreseen_regret: Estimate,
    /// The regret that came.
    pub regret: Estimate,
    /// What was gained over the standard of care.
    pub gain: Estimate,
    /// The width of the 90 % interval.
    pub width: Estimate,
    /// The share of outcomes in the 90 % interval.
    pub covered: Estimate,
}

impl GroupPerformance {
    /// The group called `name`.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than two patients, of which nothing can be said.
    pub fn of(name: impl Into<String>, patients: &[Realized]) -> Result<Self, TrialError> {
        if patients.len() < 2 {
            return Err(TrialError::Count { what: "number of patients of a group", count: patients.len(), valid: "2 or more" });
        }
        let estimate = |value: fn(&Realized) -> f64| {
            let (value, standard_error) = mean_and_error(&patients.iter().map(value).collect::<Vec<_>>());
            Estimate { value, standard_error }
        };
        Ok(Self {
            name: name.into(),
            patients: patients.len(),
            claimed_best: estimate(|patient| patient.claimed_best),
            best: estimate(|patient| patient.best),
            overclaim: estimate(|patient| patient.claimed_best - patient.best),
            foreseen_regret: estimate(|patient| patient.foreseen_regret),
            regret: estimate(|patient| patient.regret),
            gain: estimate(|patient| patient.gain),
            width: estimate(Realized::width),
            covered: estimate(Realized::covered),
        })
    }
}

/// The patients, by place, whose answer is the same although a modality was withheld: their interval has not changed at all. There must be none,
/// for what is not known must show.
///
/// # Errors
/// [`TrialError::Length`] if the lists are not of the same patients.
pub fn silently_same(with: &[Realized], without: &[Realized]) -> Result<Vec<usize>, TrialError> {
    if with.len() != without.len() {
        let (what, reference) = ("the list of patients without the modality", "the list of patients with it");
        return Err(TrialError::Length { what, found: without.len(), reference, expected: with.len() });
    }
    let same = |a: f64, b: f64| a.total_cmp(&b).is_eq();
    let pairs = with.iter().zip(without).enumerate();
    let same = pairs.filter(|(_, (a, b))| same(a.ninety.0, b.ninety.0) && same(a.ninety.1, b.ninety.1) && same(a.regret, b.regret));
    Ok(same.filter(|(_, (a, _))| a.width() > 0.0).map(|(place, _)| place).collect())
}

/// Groups side by side, as a section of a report: performance and calibration, with standard errors. `unit` is that of the objective.
#[must_use]
pub fn performance_by_group(heading: &str, unit: &str, groups: &[GroupPerformance]) -> Section {
    let within = |name: &str| Column::number(if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") });
    let columns = vec![
        Column::text("Group"),
        Column::number("Patients"),
        Column::number("Claimed best"),
        Column::number("Was best"),
        within("Regret foreseen"),
        within("Regret"),
        within("Gain over standard"),
        within("Width of 90 % interval"),
        Column::number("In 90 % interval"),
    ];
    let share = |estimate: Estimate| format!("{:.0} ± {:.0} %", 100.0 * estimate.value, 100.0 * estimate.standard_error);
    let number =
        |estimate: Estimate| format!("{} ± {}", format_number(estimate.value, 3), format_number(estimate.standard_error, 2));
    let row = |group: &GroupPerformance| {
        vec![
            group.name.clone(),
            group.patients.to_string(),
            share(group.claimed_best),
            share(group.best),
            number(group.foreseen_regret),
            number(group.regret),
            number(group.gain),
            number(group.width),
            share(group.covered),
        ]
    };
    let caption = "What was claimed and what came, by group; means with standard errors".to_owned();
    let table = Table { caption, columns, rows: groups.iter().map(row).collect() };
    Section { heading: heading.to_owned(), blocks: vec![Block::Table(table)] }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn realized(claimed_best: f64, best: f64, ninety: (f64, f64)) -> Realized {
        Realized { claimed_best, best, foreseen_regret: 2.0, regret: 4.0 * (1.0 - best), gain: 10.0, ninety, outcome: 105.0 }
    }

    #[test]
    fn groups_tell_overclaiming_and_width() {
        let known: Vec<Realized> = (0..10).map(|n| realized(0.8, if n < 8 { 1.0 } else { 0.0 }, (100.0, 110.0))).collect();
        let unknown: Vec<Realized> = (0..10).map(|n| realized(0.9, if n < 5 { 1.0 } else { 0.0 }, (80.0, 104.0))).collect();
        let (known_group, unknown_group) =
            (GroupPerformance::of("scanned", &known).unwrap(), GroupPerformance::of("not scanned", &unknown).unwrap());
        assert!(known_group.overclaim.value.abs() < 1e-12 && (unknown_group.overclaim.value - 0.4).abs() < 1e-12);
        // eight of ten: a mean of .8 with the error √(.8 .2 / 9)
        assert!((known_group.best.standard_error - (0.16_f64 / 9.0).sqrt()).abs() < 1e-12);
        assert!((known_group.covered.value, unknown_group.covered.value) == (1.0, 0.0));
        assert!(known_group.width.value < unknown_group.width.value);
        assert_eq!(silently_same(&known, &unknown).unwrap(), Vec::<usize>::new());
        assert_eq!(silently_same(&known[..2], &known[..2]).unwrap(), [0, 1]);
        assert!(silently_same(&known, &unknown[1..]).is_err() && GroupPerformance::of("one", &known[..1]).is_err());
        let section = performance_by_group("By access", "d", &[known_group, unknown_group]);
        let [Block::Table(table)] = section.blocks.as_slice() else { unreachable!() };
        assert_eq!((table.rows.len(), table.rows[0].len()), (2, table.columns.len()));
    }
}
