//! The items of TRIPOD+AI, answered from the run where it can.

use super::facts::Run;
use super::{Answer, Dossier, Intent, Item};
use crate::TrialError;

/// Number and what it asks for, in the words of this library.
const ITEMS: [(&str, &str); 52] = [
    ("1", "Title: a study that develops or evaluates a prediction model, for whom, of what"),
    ("2", "Abstract, by the checklist for abstracts"),
    ("3a", "Context of care, rationale, existing models"),
    ("3b", "Target population, purpose in the path of care, intended users"),
    ("3c", "Known inequalities of health between sociodemographic groups"),
    ("4", "Objectives: development, evaluation or both"),
    ("5a", "Sources of data, why these, how representative"),
    ("5b", "Dates of accrual and follow-up"),
    ("6a", "Setting, number and place of centers"),
    ("6b", "Eligibility"),
    ("6c", "Treatments received, and how they were handled"),
    ("7", "Preparation and checking of data, alike across groups"),
    ("8a", "Outcome, horizon, how and when assessed, why this one"),
    ("8b", "Assessors of subjective outcomes"),
    ("8c", "Blinding of the assessment of outcomes"),
    ("9a", "Choice of first predictors, and selection before building"),
    ("9b", "Definition of all predictors, how and when measured"),
    ("9c", "Assessors of subjective predictors"),
    ("10", "Size of the study, and why it is enough"),
    ("11", "Handling of missing data, reasons for omitting any"),
    ("12a", "How data were used and divided"),
    ("12b", "How predictors were handled: form, scaling, transformation"),
    ("12c", "Type of model, rationale, building, tuning, internal validation"),
    ("12d", "Heterogeneity across clusters"),
    ("12e", "Measures and plots of performance"),
    ("12f", "Updating after evaluation"),
    ("12g", "How predictions were calculated for evaluation"),
    ("13", "Class imbalance"),
    ("14", "Approaches to fairness"),
    ("15", "Output of the model, thresholds of any classification"),
    ("16", "Differences between data of development and of evaluation"),
    ("17", "Ethical approval and consent"),
    ("18a", "Funding"),
    ("18b", "Conflicts of interest"),
    ("18c", "Protocol"),
    ("18d", "Registration"),
    ("18e", "Availability of data"),
    ("18f", "Availability of code"),
    ("19", "Involvement of patients and the public"),
    ("20a", "Flow of participants, with and without the outcome, follow-up"),
    ("20b", "Characteristics of participants, missing data"),
    ("20c", "Comparison with the data of development"),
    ("21", "Participants and outcome events in each analysis"),
    ("22", "The full model, so that others can predict and evaluate"),
    ("23a", "Performance with intervals, in subgroups too"),
    ("23b", "Heterogeneity of performance across clusters"),
    ("24", "Results of updating"),
    ("25", "Interpretation, fairness, earlier studies"),
    ("26", "Limitations and what they do to results"),
    ("27a", "Poor or absent input data in use"),
    ("27b", "Interaction and expertise asked of users"),
    ("27c", "Next steps, applicability, generalizability"),
];

/// Refuses answers to items that there are not.
pub(super) fn check(intent: &Intent) -> Result<(), TrialError> {
    match intent.tripod.keys().find(|number| ITEMS.iter().all(|(known, _)| known != number)) {
        Some(number) => {
            let known = ITEMS.iter().map(|(number, _)| (*number).to_owned()).collect();
            Err(TrialError::UnknownName { name: number.clone(), known })
        }
        None => Ok(()),
    }
}

pub(super) fn items(dossier: &Dossier) -> Vec<Item> {
    let answer = |number: &str| match dossier.intent.tripod.get(number) {
        Some(given) => Answer::Given(given.clone()),
        None => from_the_run(dossier, number).unwrap_or_else(|| Answer::Open("not in the run; people must say".to_owned())),
    };
    ITEMS.iter().map(|&(number, topic)| Item::new(number, topic, answer(number))).collect()
}

/// What the run, or the statement of use, says of an item.
fn from_the_run(dossier: &Dossier, number: &str) -> Option<Answer> {
    let (facts, intent) = (&dossier.facts, &dossier.intent);
    let method = |name: &str| facts.method.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let twin = facts.run == Run::Twin;
    let text = match number {
        "3b" => return intent.context_of_use.clone().map(Answer::Given),
        "4" => return intent.question.clone().map(Answer::Given),
        "5a" if twin && !facts.data.is_empty() => "The timeline of one patient; its sources stand in the table of data.".to_owned(),
        "5b" if twin && !facts.data.is_empty() => {
            "Days from the origin of the twin, in the table of data; calendar dates are not kept.".to_owned()
        }
        "6c" => facts.treatments.clone(),
        "8a" => format!("Predicted: {}.", facts.predicted),
        "10" => format!(
            "{} The size was not justified by the run.",
            if twin {
                format!("One patient with {} readings.", method("Readings explained")?)
            } else {
                format!("Virtual patients: {}.", method("Virtual patients")?)
            }
        ),
        "11" if twin => facts
            .unused
            .clone()
            .unwrap_or_else(|| "Every reading of an observable with an error model was used; nothing was filled in.".to_owned()),
        "12b" => "Parameters in the units of the table of inputs; transforms belong to the prior.".to_owned(),
        "12c" => {
            let how =
                if twin { format!("calibrated by {}", method("Method")?) } else { format!("run with seed {}", method("Seed")?) };
            format!("`{}`: {}; {how}.", facts.spec.id, facts.spec.title)
        }
        "12e" | "23a" => facts.foreseen.clone()?,
        "12f" | "24" if twin => format!(
            "{} versions of the twin; each keeps its change and what it did to the parameters.",
            method("Version of the twin")?
        ),
        "13" => "No classes are predicted.".to_owned(),
        "15" => format!("Distributions of {}; no classification.", facts.predicted),
        "20a" if !twin => format!("{} {}", method("Virtual patients")?, facts.failures),
        "21" if twin => format!("{} readings of one patient.", method("Readings explained")?),
        "21" => "In the table of outcomes.".to_owned(),
        "22" => format!("`{}` with the parameters in the table of inputs; equations: {}.", facts.spec.id, facts.spec.source),
        _ => return None,
    };
    Some(Answer::Run(text))
}
