//! The model card.

use super::factors::numerical_error;
use super::facts::Facts;
use super::{Answer, Dossier, Item};

/// What went wrong, and which parameters press against the model's ranges.
fn caveats(facts: &Facts) -> String {
    let edges = facts.beliefs.iter().zip(&facts.spec.parameters).filter(|(belief, _)| belief.at_the_edge > 0.05);
    let edges: Vec<_> = edges.map(|(_, parameter)| parameter.name.as_ref()).collect();
    match edges.as_slice() {
        [] => facts.failures.clone(),
        edges => format!("{} More than 1 in 20 draws lie at the edge of the model's range: {}.", facts.failures, edges.join(", ")),
    }
}

pub(super) fn items(dossier: &Dossier) -> Vec<Item> {
    let (intent, facts) = (&dossier.intent, &dossier.facts);
    let open = |missing: &str| Answer::Open(missing.to_owned());
    let spec = &facts.spec;
    let details = format!(
        "`{}`: {}; {} parameters, {} states; source of the equations: {}.",
        spec.id,
        spec.title,
        spec.parameters.len(),
        spec.states.len(),
        spec.source
    );
    let data = if facts.data.is_empty() {
        open("the run used no patient's data; where the cohort's parameters come from must be said")
    } else {
        Answer::run("The patient's own timeline, in the table of data below, beside a prior.")
    };
    vec![
        Item::new("", "Model details", Answer::run(details)),
        Item::new("", "Intended use", Answer::given(intent.context_of_use.as_ref(), "the context of use is not stated")),
        Item::new("", "Factors", open("for which groups of patients it behaves otherwise was not examined")),
        Item::new(
            "",
            "Metrics",
            match &facts.foreseen {
                Some(_) => Answer::run(
                    "Share of readings in the central 90 % of what was foreseen; evidence against the model by an e-process.",
                ),
                None => open("no measure of performance was computed"),
            },
        ),
        Item::new(
            "",
            "Evaluation data",
            Answer::given(intent.comparator.as_ref(), "no data are named that were kept apart for evaluation"),
        ),
        Item::new("", "Training data", data),
        Item::new(
            "",
            "Quantitative analyses",
            match (&facts.foreseen, numerical_error(&dossier.refinements)) {
                (Some(foreseen), _) => Answer::run(foreseen.clone()),
                (None, Some(error)) => Answer::run(format!("Of the numerical error alone. {error}")),
                (None, None) => open("none"),
            },
        ),
        Item::new("", "Ethical considerations", open("who could be harmed, and who was asked, must be said by people")),
        Item::new("", "Caveats and recommendations", Answer::run(caveats(&dossier.facts))),
    ]
}
