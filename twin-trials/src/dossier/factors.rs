//! Question, context, risk, and the credibility factors.

use super::facts::Run;
use super::{Answer, Dossier, Graded, Item, Refinement};
use crate::report::format_number;

fn graded(grade: Option<&Graded>, missing: &str) -> Answer {
    Answer::given(grade.map(|grade| format!("{}: {}", grade.level.word(), grade.reason)).as_ref(), missing)
}

pub(super) fn use_and_risk(dossier: &Dossier) -> Vec<Item> {
    let intent = &dossier.intent;
    let risk = intent.risk().map(|risk| format!("{risk} of 5: influence plus consequence, less one, with low 1, medium 2, high 3"));
    vec![
        Item::new(
            "",
            "Question of interest",
            Answer::given(intent.question.as_ref(), "the question, decision or concern is not stated"),
        ),
        Item::new(
            "",
            "Context of use",
            Answer::given(intent.context_of_use.as_ref(), "the role and scope of the model are not stated"),
        ),
        Item::new(
            "",
            "Model influence",
            graded(intent.influence.as_ref(), "the weight of the model beside other evidence is not graded"),
        ),
        Item::new(
            "",
            "Consequence of a wrong decision",
            graded(intent.consequence.as_ref(), "the harm of a wrong decision is not graded"),
        ),
        Item::new("", "Model risk", Answer::given(risk.as_ref(), "influence and consequence must be graded first")),
        Item::new("", "Who answers for it", Answer::given(intent.responsible.as_ref(), "nobody is named")),
    ]
}

/// What the largest of the measured numerical errors are.
pub(super) fn numerical_error(refinements: &[Refinement]) -> Option<String> {
    let first = refinements.first()?;
    let worst = refinements.iter().max_by(|a, b| a.relative.total_cmp(&b.relative))?;
    let changed: usize = refinements.iter().map(|refinement| refinement.changed).sum();
    let compared: usize = refinements.iter().map(|refinement| refinement.compared).sum();
    Some(format!(
        "{}: the largest relative difference is {} ({}), and {changed} of {compared} results came out of another kind.",
        first.setting,
        format_number(worst.relative, 2),
        worst.result
    ))
}

fn inputs(dossier: &Dossier) -> String {
    let [published, unconfirmed, assumed] = dossier.facts.sources();
    format!(
        "Default values of {} parameters: {published} published, {unconfirmed} recalled and not confirmed, {assumed} assumed; each in the table below.",
        dossier.facts.spec.parameters.len()
    )
}

pub(super) fn factors(dossier: &Dossier) -> Vec<Item> {
    [verification(dossier), validation(dossier), applicability(dossier)].concat()
}

fn verification(dossier: &Dossier) -> Vec<Item> {
    let intent = &dossier.intent;
    let code = dossier.code.as_ref().map(|code| {
        format!(
            "{}: {} of {} numbers with known answers from {} sources agree, {} do not and are known not to, {} do not; {}",
            code.code, code.passed, code.rows, code.sources, code.not_reproduced, code.failed, code.place
        )
    });
    let error = numerical_error(&dossier.refinements)
        .map_or_else(|| Answer::Open("the run was not repeated at a finer numerical setting".to_owned()), Answer::Run);
    let quality = Answer::given(intent.software_quality.as_ref(), "how the software is kept under control is not stated");
    let code = Answer::given(code.as_ref(), "no table of numbers with known answers is cited");
    let use_error = Answer::given(intent.use_error.as_ref(), "what keeps users from errors is not stated");
    vec![
        Item::new("verification of code", "Software quality assurance", quality),
        Item::new("verification of code", "Numerical code verification", code),
        Item::new("verification of calculation", "Discretization error", error.clone()),
        Item::new("verification of calculation", "Numerical solver error", error),
        Item::new("verification of calculation", "Use error", use_error),
    ]
}

fn validation(dossier: &Dossier) -> Vec<Item> {
    let (intent, facts) = (&dossier.intent, &dossier.facts);
    let open = |missing: &str| Answer::Open(missing.to_owned());
    let form = Answer::given(intent.model_form.as_ref(), "why this form of model fits the context of use is not argued");
    let samples = match (facts.run, &facts.foreseen) {
        (Run::Twin, Some(_)) => Answer::run("The twin's own readings, each foreseen by the version before it learned of it."),
        _ => Answer::given(intent.comparator.as_ref(), "no data or experiment is named that the model was compared with"),
    };
    let conditions = match &intent.comparator {
        Some(comparator) => Answer::Given(comparator.clone()),
        None if facts.foreseen.is_some() => Answer::Run(facts.treatments.clone()),
        None => open("the conditions of a comparison are not stated"),
    };
    let equivalency = match facts.foreseen {
        Some(_) => Answer::run("Model and patient were given the same treatments at the same times, as on the timeline."),
        None => open("inputs of model and comparator were not compared"),
    };
    let comparison = match &facts.foreseen {
        Some(foreseen) => Answer::run(foreseen.clone()),
        None => Answer::given(intent.comparison.as_ref(), "no prediction was compared with what came"),
    };
    vec![
        Item::new("validation: model", "Model form", form),
        Item::new("validation: model", "Model inputs", Answer::run(inputs(dossier))),
        Item::new("validation: comparator", "Test samples", samples),
        Item::new("validation: comparator", "Test conditions", conditions),
        Item::new("validation: assessment", "Equivalency of input parameters", equivalency),
        Item::new("validation: assessment", "Output comparison", comparison),
    ]
}

fn applicability(dossier: &Dossier) -> Vec<Item> {
    let quantities = Answer::Open("that what was compared is what the question asks for must be argued".to_owned());
    let missing = "why the evidence carries over to the context of use is not argued";
    let activities = Answer::given(dossier.intent.applicability.as_ref(), missing);
    vec![
        Item::new("applicability", "Relevance of the quantities of interest", quantities),
        Item::new("applicability", "Relevance of the validation activities to the context of use", activities),
    ]
}
