//! One recommendation, three readers: the clinician, the modeler, and the patient.

use super::{Block, Column, Curve, CurveStyle, CurvesFigure, Figure, IntervalRow, IntervalsFigure, Plot, Quantity, ReferenceLine};
use super::{Report, Section, Table, format_number};
use crate::TrialError;
use crate::explain::{Position, ShapleyEffects};
use crate::planning::{Ranked, Recommendation, Sense, Verdict};
use crate::statistics::Spread;

/// A recommendation with what its readers must know beside it, from which a page for each of them is written.
#[derive(Debug, Clone)]
pub struct Briefing<'a> {
    /// The patient's pseudonym.
    pub patient: String,
    /// What was asked, in one sentence that everybody understands.
    pub question: String,
    /// The answer.
    pub answer: &'a Recommendation,
    /// For each endpoint of the answer, what it is called in plain words and its unit: `("time to progression", "time until the cancer
    /// grows again", "days")`. An endpoint that is not listed keeps its name and has no unit.
    pub wording: Vec<Wording>,
    /// What was known of the patient and what was not: the modality, and `None` if it was used or the reason why it is missing.
    pub data: Vec<(String, Option<String>)>,
    /// Which parameters decide between the first plan and the standard of care.
    pub drivers: Option<ShapleyEffects>,
    /// Where the patient lies in the population that the model was made from.
    pub position: Option<Position>,
    /// What the model leaves out, one sentence each.
    pub leaves_out: Vec<String>,
}

/// How an endpoint is spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The endpoint's name.
    pub endpoint: String,
    /// What it is, in words that need no explanation.
    pub plain: String,
    /// Its unit; may be empty.
    pub unit: String,
}

impl Briefing<'_> {
    /// The page for the clinician: the answer, the plans side by side, harms, what to weigh, what is missing.
    ///
    /// # Errors
    /// [`TrialError::Empty`] for an answer without any plan.
    pub fn for_clinician(&self) -> Result<Report, TrialError> {
        let mut report = self.head("Plans compared for one patient", "For the treating clinician");
        let mut blocks = vec![Block::Paragraph(self.verdict_in_words())];
        if let Some(first) = self.answer.ranked.first() {
            blocks.push(Block::KeyFigures(vec![
                ("Most promising".into(), first.plan.clone()),
                ("Probability that it is best".into(), percent(first.probability_best)),
                ("Gain over the standard of care".into(), self.with_unit(&self.answer.objective, first.gain.mean.value)),
            ]));
        }
        blocks.push(Block::Figure(self.outcomes()?));
        blocks.push(Block::Table(self.table()));
        report.sections.push(section("The answer", blocks));
        if let Some(tradeoff) = self.tradeoff() {
            report.sections.push(section("Benefit against harm", vec![Block::Figure(tradeoff)]));
        }
        report.sections.push(section("What to weigh", vec![Block::List(self.to_weigh())]));
        Ok(report)
    }

    /// The page for the modeler: everything, with Monte Carlo errors, constraints, drivers and effort.
    ///
    /// # Errors
    /// As [`Briefing::for_clinician`].
    pub fn for_modeler(&self) -> Result<Report, TrialError> {
        let mut report = self.for_clinician()?;
        "For the modeler".clone_into(&mut report.subtitle);
        let effort = &self.answer.effort;
        report.sections.push(section(
            "How it was computed",
            vec![
                Block::List(vec![
                    format!(
                        "Objective: {}, {} of it, weighed by {}.",
                        self.answer.objective,
                        if self.answer.sense == Sense::Most { "much" } else { "little" },
                        self.answer.risk
                    ),
                    format!(
                        "{} of {} draws simulated, {} courses; {} courses saved by stopping once settled.",
                        effort.draws, effort.planned, effort.courses, effort.saved
                    ),
                    format!("{} courses failed and were left out of all plans.", self.answer.evaluation.failures.len()),
                ]),
                Block::Table(self.scores()),
            ],
        ));
        if let Some(drivers) = &self.drivers {
            report.sections.push(section("What drives the difference", vec![Block::Table(shares(drivers))]));
        }
        if let Some(position) = &self.position {
            report.sections.push(section("Support", vec![Block::Paragraph(told(position))]));
        }
        Ok(report)
    }

    /// The page for the patient: plain words, natural frequencies, what is unsure, and what the choice is.
    ///
    /// # Errors
    /// [`TrialError::Empty`] for an answer without any plan.
    pub fn for_patient(&self) -> Result<Report, TrialError> {
        let first = self.first()?;
        let mut report = self.head("Your treatment options", "For you, to read with your doctor");
        let wording = self.wording(&self.answer.objective);
        let mut said = vec![
            self.question.clone(),
            format!("We looked at {} ways to treat you, and at: {}.", self.answer.ranked.len(), wording.plain),
        ];
        match &self.answer.verdict {
            Verdict::Recommended { plan } => said.push(format!(
                "The computer model finds \"{plan}\" the most promising. Of every 10 futures that fit what is known about you, it came out best in about {}.",
                tenths(first.probability_best)
            )),
            Verdict::NotConfident { contenders, .. } => {
                said.push(format!("The computer model cannot say which is best. These may be: {}.", contenders.join(", ")));
            }
        }
        let futures = |ranked: &Ranked| {
            let usual = if ranked.plan == self.answer.standard { " This is the usual treatment." } else { "" };
            let (low, high) = ranked.ninety;
            format!(
                "{}: in 9 of 10 of these futures, {} lies between {} and {}.{usual}",
                ranked.plan,
                wording.plain,
                self.with_unit(&self.answer.objective, low),
                self.with_unit(&self.answer.objective, high)
            )
        };
        report.sections.push(section("What was found", said.into_iter().map(Block::Paragraph).collect()));
        report
            .sections
            .push(section("What could happen", vec![Block::List(self.answer.ranked.iter().take(4).map(futures).collect())]));
        let effects = first.effects.iter().map(|effect| {
            let wording = self.wording(&effect.name);
            format!("{}: {} with \"{}\".", wording.plain, self.with_unit(&effect.name, effect.score.value), first.plan)
        });
        let effects: Vec<String> = effects.collect();
        if !effects.is_empty() {
            report.sections.push(section("What else to expect", vec![Block::List(effects)]));
        }
        let missing = self.data.iter().filter_map(|(what, reason)| {
            Some(format!("{what} is missing ({}). That makes the answer less sure.", reason.as_ref()?))
        });
        let mut unsure: Vec<String> = missing.collect();
        unsure.push("A computer model leaves out much of what matters to you and your body. It can be wrong.".into());
        if self.outside() {
            unsure.push("You differ from the people the model was made from. Its answer may not hold for you.".into());
        }
        report.sections.push(section("What is not sure", vec![Block::List(unsure)]));
        let choice = "You and your doctor decide. You can ask for the usual treatment, for another one, or for more tests first. Nobody decides by this page alone.";
        report.sections.push(section("Your choice", vec![Block::Paragraph(choice.into())]));
        Ok(report)
    }

    fn head(&self, title: &str, subtitle: &str) -> Report {
        let mut report = Report::new(title);
        subtitle.clone_into(&mut report.subtitle);
        report.facts.push(("Patient".into(), self.patient.clone()));
        report
    }

    fn first(&self) -> Result<&Ranked, TrialError> {
        self.answer.ranked.first().ok_or(TrialError::Empty { what: "the list of plans of a recommendation" })
    }

    fn outside(&self) -> bool {
        self.position.as_ref().is_some_and(|position| position.share_as_far < USUAL)
    }

    fn wording(&self, endpoint: &str) -> Wording {
        let listed = self.wording.iter().find(|wording| wording.endpoint == endpoint).cloned();
        listed.unwrap_or_else(|| Wording { endpoint: endpoint.into(), plain: endpoint.into(), unit: String::new() })
    }

    fn with_unit(&self, endpoint: &str, value: f64) -> String {
        format!("{} {}", format_number(value, 3), self.wording(endpoint).unit).trim_end().to_owned()
    }

    fn verdict_in_words(&self) -> String {
        match &self.answer.verdict {
            Verdict::Recommended { plan } if *plan == self.answer.standard => {
                format!("{} The standard of care, {plan}, is the most promising of the plans.", self.question)
            }
            Verdict::Recommended { plan } => format!("{} Of the plans, {plan} is the most promising.", self.question),
            Verdict::NotConfident { contenders, .. } => {
                format!("{} No confident recommendation. The contenders: {}.", self.question, contenders.join(", "))
            }
        }
    }

    /// The objective's endpoint under each plan, over the draws.
    fn outcomes(&self) -> Result<Figure, TrialError> {
        self.first()?;
        let rows = self.answer.ranked.iter().map(|ranked| {
            let spread = Spread::of(self.answer.evaluation.values(ranked.place, 0))?;
            Ok(IntervalRow { label: self.named(ranked), spread })
        });
        let wording = self.wording(&self.answer.objective);
        let reference =
            self.answer.standard().map(|standard| ReferenceLine { value: standard.score.value, label: "standard of care".into() });
        let plot = IntervalsFigure {
            label: wording.plain,
            unit: wording.unit,
            rows: rows.collect::<Result<_, TrialError>>()?,
            reference,
            ..IntervalsFigure::default()
        };
        Ok(Figure::new("Each plan over all draws that fit the patient: median, 50 % and 90 % intervals.", Plot::Intervals(plot)))
    }

    fn named(&self, ranked: &Ranked) -> String {
        if ranked.plan == self.answer.standard { format!("{} (standard)", ranked.plan) } else { ranked.plan.clone() }
    }

    /// The first effect against the objective, a point for each plan.
    fn tradeoff(&self) -> Option<Figure> {
        let effect = self.answer.ranked.first()?.effects.first()?.name.clone();
        let (harm, benefit) = (self.wording(&effect), self.wording(&self.answer.objective));
        let curves = self.answer.ranked.iter().filter_map(|ranked| {
            let at = (ranked.effects.first()?.score.value, ranked.score.value);
            Some(Curve { label: self.named(ranked), points: vec![at], style: CurveStyle::Markers })
        });
        let plot = CurvesFigure {
            horizontal: Quantity::linear(harm.plain, harm.unit),
            vertical: Quantity::linear(benefit.plain, benefit.unit),
            curves: curves.collect(),
        };
        Some(Figure::new("What each plan is expected to give and to cost.", Plot::Curves(plot)))
    }

    fn table(&self) -> Table {
        let mut columns = vec![
            Column::text("Plan"),
            Column::number("Probability best"),
            Column::number("Expected regret"),
            Column::number("Gain over standard"),
            Column::number("Better / worse than standard"),
        ];
        let first = self.answer.ranked.first();
        columns.extend(
            first.into_iter().flat_map(|ranked| &ranked.effects).map(|effect| Column::number(titled(&self.wording(&effect.name)))),
        );
        let row = |ranked: &Ranked| {
            let gain = ranked.gain;
            let mut row = vec![
                self.named(ranked),
                percent(ranked.probability_best),
                self.with_unit(&self.answer.objective, ranked.regret.value),
                format!(
                    "{} ({} to {})",
                    format_number(gain.mean.value, 3),
                    format_number(gain.ninety.0, 3),
                    format_number(gain.ninety.1, 3)
                ),
                format!("{} / {}", percent(gain.better), percent(gain.worse)),
            ];
            row.extend(ranked.effects.iter().map(|effect| {
                format!(
                    "{} ({} to {})",
                    format_number(effect.score.value, 3),
                    format_number(effect.ninety.0, 3),
                    format_number(effect.ninety.1, 3)
                )
            }));
            row
        };
        Table {
            caption: "The plans, the most promising first; 90 % intervals in parentheses".into(),
            columns,
            rows: self.answer.ranked.iter().map(row).collect(),
        }
    }

    /// Scores with their Monte Carlo errors, and how often chance constraints hold.
    fn scores(&self) -> Table {
        let mut columns = vec![Column::text("Plan"), Column::number("Score"), Column::number("Regret")];
        let first = self.answer.ranked.first();
        columns.extend(first.into_iter().flat_map(|ranked| &ranked.chances).map(|(name, _)| Column::number(format!("P({name})"))));
        let estimate = |estimate: crate::planning::Estimate| {
            format!("{} ± {}", format_number(estimate.value, 4), format_number(estimate.standard_error, 2))
        };
        let row = |ranked: &Ranked| {
            let mut row = vec![self.named(ranked), estimate(ranked.score), estimate(ranked.regret)];
            row.extend(ranked.chances.iter().map(|(_, share)| percent(*share)));
            row
        };
        Table {
            caption: "Scores, with Monte Carlo standard errors".into(),
            columns,
            rows: self.answer.ranked.iter().map(row).collect(),
        }
    }

    fn to_weigh(&self) -> Vec<String> {
        let mut items = Vec::new();
        if let Verdict::NotConfident { doubts, would_settle, .. } = &self.answer.verdict {
            items.extend(doubts.iter().map(|doubt| format!("Not confident: {doubt}.")));
            items.extend(would_settle.iter().take(3).map(|worth| {
                format!("Worth knowing before: {} would save {} of expected regret.", worth.what, percent(worth.share))
            }));
        }
        items.extend(self.answer.excluded.iter().map(|excluded| {
            let reasons: Vec<String> = excluded.reasons.iter().map(ToString::to_string).collect();
            format!("Excluded: {} ({}).", excluded.plan, reasons.join("; "))
        }));
        items.extend(self.data.iter().map(|(what, reason)| match reason {
            None => format!("Used: {what}."),
            Some(reason) => format!("Missing: {what} ({reason}); intervals are wider for it."),
        }));
        if let Some(drivers) = &self.drivers {
            let most = drivers.names.iter().zip(&drivers.effects).max_by(|a, b| a.1.value.total_cmp(&b.1.value));
            items.extend(
                most.map(|(name, share)| {
                    format!("The difference hangs most on {name} ({} of its variance).", percent(share.value))
                }),
            );
        }
        items.extend(self.position.as_ref().map(told));
        items.extend(self.leaves_out.iter().map(|what| format!("The model leaves out: {what}")));
        items.push("A plan that is better on virtual courses is a hypothesis about this patient.".into());
        items
    }
}

/// A patient as unusual as one in twenty of the population, or more, is called unlike it.
const USUAL: f64 = 0.05;

fn section(heading: &str, blocks: Vec<Block>) -> Section {
    Section { heading: heading.into(), blocks }
}

fn titled(wording: &Wording) -> String {
    super::forecast::titled(&wording.plain, &wording.unit)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A probability in words of ten.
fn tenths(share: f64) -> String {
    let tenths = (10.0 * share).round();
    if tenths < 1.0 { "fewer than 1".into() } else { format!("{tenths:.0}") }
}

fn told(position: &Position) -> String {
    let (variable, deviations) = &position.most_unusual;
    let verdict = if position.share_as_far < USUAL {
        "The patient is unlike the population of the model"
    } else {
        "The patient lies within the population of the model"
    };
    format!(
        "{verdict}: {} of it lie as far out; most unusual is {variable}, {deviations:+.1} standard deviations.",
        percent(position.share_as_far)
    )
}

fn shares(drivers: &ShapleyEffects) -> Table {
    let share = |share: &crate::explain::Share| format!("{:.2} ± {:.2}", share.value, share.standard_error);
    let mut rows: Vec<Vec<String>> =
        drivers.names.iter().zip(&drivers.effects).map(|(name, effect)| vec![name.clone(), share(effect)]).collect();
    rows.push(vec!["all together".into(), share(&drivers.explained)]);
    let columns = vec![Column::text("Parameter"), Column::number("Share of the variance (Shapley)")];
    Table { caption: "What decides between the first plan and the standard of care".into(), columns, rows }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
