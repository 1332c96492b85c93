//! What decides between two plans.

use super::{ShapleyEffects, shapley_effects};
use crate::TrialError;
use crate::planning::{Question, Recommendation};

/// Which parameters of the virtual patients decide by how much the plan `one` does better than the plan `other`, by the objective of the
/// question: the Shapley effects on the difference, draw by draw. Parameters that do not vary are left out.
///
/// # Errors
/// [`TrialError::UnknownName`] for a plan that was not evaluated; as [`shapley_effects`]: too few draws, more than twelve parameters that
/// vary, or no difference that varies.
pub fn ranking_drivers(question: &Question, answer: &Recommendation, one: &str, other: &str) -> Result<ShapleyEffects, TrialError> {
    let evaluation = &answer.evaluation;
    let place = |name: &str| {
        let unknown = || TrialError::UnknownName { name: name.to_owned(), known: evaluation.plans.clone() };
        evaluation.plans.iter().position(|plan| plan == name).ok_or_else(unknown)
    };
    let (one, other) = (evaluation.values(place(one)?, 0), evaluation.values(place(other)?, 0));
    let difference: Vec<f64> = one.iter().zip(other).map(|(one, other)| answer.sense.gain(one - other)).collect();
    let patients = evaluation.draws.iter().map(|draw| question.setting.patient(*draw)).collect::<Result<Vec<_>, _>>()?;
    let column = |place: usize| -> Vec<f64> {
        patients.iter().filter_map(|patient| patient.parameters.values().get(place).copied()).collect()
    };
    let names = question.setting.model.spec().parameters.iter().map(|parameter| parameter.name.to_string());
    let inputs: Vec<(String, Vec<f64>)> = names.enumerate().map(|(at, name)| (name, column(at))).collect();
    let varies = |values: &[f64]| values.windows(2).any(|pair| matches!(pair, [a, b] if a.total_cmp(b).is_ne()));
    let inputs: Vec<_> = inputs.into_iter().filter(|(_, values)| varies(values)).collect();
    shapley_effects(&inputs, &difference)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::planning::{Confidence, Objective, Plan, recommend};
    use crate::{Adaptive, Continuous, FromPrior, TimeToProgression, Trial};
    use std::sync::Arc;
    use twin_calibrate::{IndependentPrior, Marginal};
    use twin_core::{Agent, Observable, Span};
    use twin_models::clones;

    #[test]
    fn resistance_decides_between_adaptive_and_continuous_therapy() {
        let drug = Agent::new("abiraterone").unwrap();
        let model = Arc::new(clones::sensitive_resistant(drug.clone()));
        let belief = IndependentPrior::new([
            ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
            ("initial_psa", Marginal::Uniform { low: 19.0, high: 21.0 }),
        ]);
        let setting = Trial::new(model.clone(), FromPrior::new(model, Arc::new(belief.unwrap())), 200)
            .measure(Observable::PSA)
            .visits(Span::from_weeks(4.0).unwrap(), Span::from_days(1400.0).unwrap());
        let objective = Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
        let standard = Plan::adaptive("continuous", Continuous { agent: drug.clone() });
        let question = Question::new(setting, standard, objective, Confidence::new(14.0))
            .plans([Plan::adaptive("adaptive", Adaptive::half(drug, Observable::PSA))]);
        let answer = recommend(&question).unwrap();
        let drivers = ranking_drivers(&question, &answer, "adaptive", "continuous").unwrap();
        assert_eq!(drivers.names.len(), 2);
        let resistance = drivers.names.iter().position(|name| name == "initial_resistance").unwrap();
        assert!(drivers.effects[resistance].value > 0.5, "{drivers:?}");
        assert!(drivers.effects[1 - resistance].value.abs() < 0.15, "{drivers:?}");
        assert!(matches!(ranking_drivers(&question, &answer, "adaptive", "none"), Err(TrialError::UnknownName { .. })));
    }
}
