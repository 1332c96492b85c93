//! What a design comes to over many trials.

use super::Design;
use crate::statistics::{Mean, Share};
use crate::{Trial, TrialError, TrialReport};
use rayon::prelude::*;
use twin_core::Random;

/// What a [`Design`] comes to over many trials, each on patients of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Characteristics {
    /// How often the arms differed significantly: the power, or the level where they do not differ in truth.
    pub rejected: Share,
    /// How often they did with fewer events in the second arm than expected.
    pub superior: Share,
    /// Events at the end.
    pub events: Mean,
    /// Days to the end.
    pub days: Mean,
    /// Patients who had entered by the end.
    pub entered: Mean,
    /// At which look the trial ended, as shares of the trials.
    pub ended_at: Vec<Share>,
}

impl Design {
    /// Conducts as many trials of `patients` patients as `report` has patients for, none in two trials, and counts what they come to.
    ///
    /// Trial `i` draws from stream `i` of `random`: the same bits at any number of threads.
    ///
    /// # Errors
    /// [`TrialError::Count`] if there are patients for fewer than two trials; as [`Design::conduct`].
    pub fn characteristics(
        &self,
        trial: &Trial,
        report: &TrialReport,
        patients: usize,
        random: &Random,
    ) -> Result<Characteristics, TrialError> {
        let trials = report.size.checked_div(patients).unwrap_or(0);
        if trials < 2 {
            let valid = "at least one, and at most half of those in the report";
            return Err(TrialError::Count { what: "patients of a trial", count: patients, valid });
        }
        let one = |index: usize| {
            let own = index * patients..(index + 1) * patients;
            let found = self.conduct_part(trial, report, own, &random.stream(index as u64))?;
            let last = found.looks.last().copied().ok_or(TrialError::Empty { what: "the list of looks" })?;
            Ok((last, found.looks.len()))
        };
        let ends = (0..trials).into_par_iter().map(one).collect::<Result<Vec<_>, TrialError>>()?;
        let count = |of: &dyn Fn(&(super::Look, usize)) -> bool| Share::of(ends.iter().filter(|end| of(end)).count(), trials);
        let mean = |of: &dyn Fn(&super::Look) -> f64| Mean::of(&ends.iter().map(|(look, _)| of(look)).collect::<Vec<_>>());
        let looks = ends.iter().map(|(_, number)| *number).max().unwrap_or(0);
        Ok(Characteristics {
            rejected: count(&|(look, _)| look.crossed)?,
            superior: count(&|(look, _)| look.crossed && look.statistic > 0.0)?,
            events: mean(&|look| look.events as f64)?,
            days: mean(&|look| look.day)?,
            entered: mean(&|look| look.entered as f64)?,
            ended_at: (1..=looks).map(|number| count(&|(_, other)| *other == number)).collect::<Result<_, _>>()?,
        })
    }
}
