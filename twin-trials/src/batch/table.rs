//! Outcomes as a table.

use crate::outcomes::Assessment;
use crate::{Outcome, Trial, TrialError};
use std::io::Write;

/// Writes `assessments` as comma-separated values, a row for each patient, arm and endpoint: `patient,arm,endpoint,outcome,value`.
///
/// The outcome is `event`, `censored`, `value`, `not_evaluable` or `failed`; the last two have no value. The same outcomes give the
/// same bytes.
///
/// # Errors
/// The first error among `assessments`; [`TrialError::Output`] for what the writer refuses.
pub fn write_table(
    trial: &Trial,
    assessments: impl IntoIterator<Item = Result<Assessment, TrialError>>,
    out: &mut impl Write,
) -> Result<(), TrialError> {
    let quoted = |name: &str| {
        let plain = !name.contains([',', '"', '\n', '\r']);
        if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
    };
    let arms: Vec<String> = trial.arms.iter().map(|arm| quoted(&arm.name)).collect();
    let endpoints: Vec<String> = trial.endpoints.iter().map(|endpoint| quoted(endpoint.name())).collect();
    let output = |source| TrialError::Output { source };
    writeln!(out, "patient,arm,endpoint,outcome,value").map_err(output)?;
    for assessment in assessments {
        let Assessment { patient, arms: assessed } = assessment?;
        let assessed = assessed.ok();
        for (place, arm) in arms.iter().enumerate() {
            let outcomes = assessed.as_ref().and_then(|arms| arms.get(place)?.as_ref().ok());
            for (place, endpoint) in endpoints.iter().enumerate() {
                let row = match outcomes.and_then(|outcomes| outcomes.get(place)) {
                    Some(Outcome::Event(value)) => format!("event,{value}"),
                    Some(Outcome::Censored(value)) => format!("censored,{value}"),
                    Some(Outcome::Value(value)) => format!("value,{value}"),
                    Some(Outcome::NotEvaluable) => "not_evaluable,".to_owned(),
                    None => "failed,".to_owned(),
                };
                writeln!(out, "{patient},{arm},{endpoint},{row}").map_err(output)?;
            }
        }
    }
    Ok(())
}
