//! The report of a twin.

use crate::twin::{HORIZON_DAYS, PROGRESSION, SEED, TWINS, Twin, periods, psa};
use std::collections::BTreeMap;
use twin_calibrate::{Prior, priors};
use twin_core::{Observable, Patient, Random, Time};
use twin_models::{Model, clones};
use twin_trials::Outcome;
use twin_trials::TrialError;
use twin_trials::report::{
    Block, CarriedForward, Column, DensitiesFigure, Density, DensityPanel, Figure, ForecastFigure, IntervalRow, IntervalsFigure,
    ObservedPoint, Plot, Reading, Report, Scale, Section, SurvivalCurve, SurvivalFigure, Table, TreatmentPeriod, Use,
    format_number,
};
use twin_trials::statistics::{FollowUp, KaplanMeier, PairedDifference, Spread, log_rank, quantile};

/// How well the forecast did on the held-out PSA, beside the last value carried forward.
pub(crate) struct Score {
    pub(crate) points: usize,
    pub(crate) covered: usize,
    pub(crate) error: f64,
    pub(crate) carried_error: f64,
}

/// The score of a twin; `None` if nothing was held out.
pub(crate) fn score(twin: &Twin) -> Option<Score> {
    let off = |value: f64, observed: f64| ((value + 0.1).log10() - (observed + 0.1).log10()).abs();
    let points = &twin.forecast.held_out;
    let middle = |values: Vec<f64>| quantile(&values, 0.5).ok();
    Some(Score {
        points: points.len(),
        covered: points.iter().filter(|(_, observed, band)| band[0] <= *observed && *observed <= band[4]).count(),
        error: middle(points.iter().map(|(_, observed, band)| off(band[2], *observed)).collect())?,
        carried_error: middle(points.iter().map(|(_, observed, _)| off(twin.forecast.carried, *observed)).collect())?,
    })
}

/// The report.
pub(crate) fn report(patient: &Patient, twin: &Twin) -> Result<Report, TrialError> {
    let mut report = Report::new(format!("Digital twin of patient {}", patient.id));
    "PSA under on-off therapy: what was seen, what the twin forecasts, and what policies would come to"
        .clone_into(&mut report.subtitle);
    report.facts = vec![
        ("Patient".to_owned(), patient.id.to_string()),
        ("Therapy".to_owned(), twin.drug.to_string()),
        ("PSA readings".to_owned(), psa(patient).len().to_string()),
        ("Model".to_owned(), twin.trial.model.clone()),
        ("Seed".to_owned(), SEED.to_string()),
        ("Software".to_owned(), format!("twin {}", env!("CARGO_PKG_VERSION"))),
    ];
    report.sections = vec![forecast(patient, twin), parameters(twin)?, policies(twin)?, knowledge(twin), provenance(patient, twin)];
    Ok(report)
}

fn observed(patient: &Patient, cut: Time) -> Vec<ObservedPoint> {
    let seen = patient.timeline.observations_of(&Observable::PSA);
    let point = |(time, observation): (Time, &twin_core::Observation)| {
        let reading = match &observation.finding {
            twin_core::Finding::Below(_) => Reading::Below,
            twin_core::Finding::Above(_) => Reading::Above,
            _ => Reading::Measured,
        };
        let used_for = if time <= cut { Use::Calibration } else { Use::HeldOut };
        // A logarithmic axis has no place for 0; such a reading is drawn at the offset of the error model.
        let value = observation.finding.quantity()?.value_in("ng/mL").ok()?.max(0.5 * priors::PSA_OFFSET);
        Some(ObservedPoint { day: time.days(), value, reading, used_for })
    };
    seen.filter_map(point).collect()
}

fn forecast(patient: &Patient, twin: &Twin) -> Section {
    let observations = observed(patient, twin.cut);
    let end = twin.forecast.days.last().copied().unwrap_or_default();
    let highest = observations.iter().map(|point| point.value).fold(1.0, f64::max);
    let lowest = observations.iter().map(|point| point.value).fold(1.0, f64::min);
    let limits = (0.5 * lowest.max(0.5 * priors::PSA_OFFSET), 10.0 * highest);
    let period = |(from, to, intensity)| TreatmentPeriod { from, to, label: twin.drug.to_string(), intensity };
    let plot = ForecastFigure {
        label: "PSA".to_owned(),
        unit: "ng/mL".to_owned(),
        scale: Scale::Logarithmic,
        limits: Some(limits),
        observations,
        times: twin.forecast.days.clone(),
        bands: twin.forecast.bands.iter().map(|band| band.map(|value| value.max(1e-3))).collect(),
        calibration_end: Some(twin.cut.days()),
        treatment_periods: periods(patient, &twin.drug, end).into_iter().map(period).collect(),
        carried_forward: Some(CarriedForward {
            from: twin.cut.days(),
            to: end,
            value: twin.forecast.carried.max(0.5 * priors::PSA_OFFSET),
        }),
    };
    let caption = "PSA: what was seen, and the 50 % and 90 % bands of what the twin expected to be observed. It was calibrated on the \
                   readings left of the line and forecast the rest, given when therapy was on. The axis is cut at ten times the highest reading.";
    let mut blocks = vec![Block::Figure(Figure::new(caption, Plot::Forecast(plot)))];
    if let Some(score) = score(twin) {
        let rows = vec![
            vec!["the twin".to_owned(), format!("{} of {}", score.covered, score.points), format_number(score.error, 3)],
            vec!["last value carried forward".to_owned(), "no interval".to_owned(), format_number(score.carried_error, 3)],
        ];
        let columns =
            vec![Column::text("Forecast"), Column::number("In the 90 % band"), Column::number("Median error of log10(PSA + 0.1)")];
        let caption = "The held-out readings, forecast by the twin and by \u{201c}nothing changes\u{201d}".to_owned();
        blocks.push(Block::Table(Table { caption, columns, rows }));
    }
    Section { heading: "What was seen, and what the twin expected".to_owned(), blocks }
}

fn parameters(twin: &Twin) -> Result<Section, TrialError> {
    let prior = priors::psa_sensitive_resistant(twin.reference)?;
    let mut random = Random::new(SEED).stream(9);
    let draws: Vec<Vec<f64>> = (0..4000).map(|_| prior.sample(&mut random)).collect();
    let specs: BTreeMap<String, (String, String)> = clones::sensitive_resistant(twin.drug.clone())
        .spec()
        .parameters
        .iter()
        .map(|spec| (spec.name.to_string(), (spec.unit.to_string(), spec.description.to_string())))
        .collect();
    let (mut panels, mut rows) = (Vec::new(), Vec::new());
    for (place, name) in twin.posterior.names().iter().enumerate() {
        let (unit, meaning) =
            specs.get(name).cloned().unwrap_or_else(|| ("1".to_owned(), "Scatter of ln(PSA + 0.1) around the model".to_owned()));
        let (label, unit) = (name.replace('_', " "), if unit == "1" { String::new() } else { unit });
        let column = twin.posterior.column(name)?;
        let before = draws.iter().filter_map(|draw| draw.get(place).copied()).collect();
        panels.push(DensityPanel {
            label: label.clone(),
            unit: unit.clone(),
            scale: Scale::Logarithmic,
            draws: column,
            prior: Some(Density::Draws(before)),
            truth: None,
        });
        let [low, middle, high] = twin.posterior.quantiles(name, [0.05, 0.5, 0.95])?;
        let interval = format!("{} to {}", format_number(low, 2), format_number(high, 2));
        rows.push(vec![label, unit, format_number(middle, 2), interval, meaning]);
    }
    let columns = ["Parameter", "Unit", "Median", "90 % interval", "Meaning"];
    let columns = columns
        .iter()
        .enumerate()
        .map(|(i, heading)| if i == 2 { Column::number(*heading) } else { Column::text(*heading) })
        .collect();
    let caption = "Posterior of every parameter from the whole record, over its prior".to_owned();
    let table = Table { caption: "The same in numbers".to_owned(), columns, rows };
    let figure = Figure::new(caption, Plot::Densities(DensitiesFigure { panels }));
    Ok(Section {
        heading: "What the record says of the tumor".to_owned(),
        blocks: vec![Block::Figure(figure), Block::Table(table)],
    })
}

fn numbers(outcomes: &[Outcome]) -> Vec<f64> {
    let number = |outcome: &Outcome| match outcome {
        Outcome::Event(value) | Outcome::Censored(value) | Outcome::Value(value) => Some(*value),
        _ => None,
    };
    outcomes.iter().filter_map(number).collect()
}

/// The rows of the table of policies, as printed and as reported.
pub(crate) fn policy_rows(twin: &Twin) -> Result<Vec<Vec<String>>, TrialError> {
    let spread = |spread: Spread, digits: usize| {
        format!(
            "{} ({} to {})",
            format_number(spread.median, digits),
            format_number(spread.ninety.0, digits),
            format_number(spread.ninety.1, digits)
        )
    };
    let row = |arm: &twin_trials::ArmReport| {
        let progression = twin.trial.outcomes(&arm.name, PROGRESSION)?;
        let progressed = progression.iter().filter(|outcome| matches!(outcome, Outcome::Event(_))).count();
        let off: Vec<f64> =
            numbers(&twin.trial.outcomes(&arm.name, "share of time off drug")?).iter().map(|share| 100.0 * share).collect();
        let dose = numbers(&twin.trial.outcomes(&arm.name, "cumulative dose")?);
        Ok(vec![
            arm.name.clone(),
            format!("{} of {}", progressed, progression.len()),
            spread(Spread::of(&numbers(&progression))?, 3),
            spread(Spread::of(&off)?, 2),
            spread(Spread::of(&dose)?, 3),
        ])
    };
    twin.trial.arms.iter().map(row).collect()
}

fn policies(twin: &Twin) -> Result<Section, TrialError> {
    let mut curves = Vec::new();
    for arm in &twin.trial.arms {
        let estimate = KaplanMeier::estimate(&twin.trial.follow_ups(&arm.name, PROGRESSION)?)?;
        curves.push(SurvivalCurve { label: arm.name.clone(), estimate });
    }
    let groups: Vec<&[FollowUp]> = curves.iter().map(|curve| curve.estimate.follow_ups()).collect();
    let comparison = log_rank(&groups).ok(); // none if no twin progressed
    let survival = SurvivalFigure { label: "without progression".to_owned(), curves, comparison };
    let mut rows = Vec::new();
    for arm in &twin.trial.arms {
        let dose = numbers(&twin.trial.outcomes(&arm.name, "cumulative dose")?);
        rows.push(IntervalRow { label: arm.name.clone(), spread: Spread::of(&dose)? });
    }
    let dose =
        IntervalsFigure { label: "Days on drug".to_owned(), unit: "d".to_owned(), scale: Scale::Linear, rows, reference: None };
    let columns = vec![
        Column::text("Policy"),
        Column::number("Progressed"),
        Column::number("Time to progression or end, d"),
        Column::number("Time off drug, %"),
        Column::number("Days on drug"),
    ];
    let caption = "Outcomes by policy: median (90 % interval) over the virtual twins".to_owned();
    let already = twin.trial.arms.iter().flat_map(|arm| arm.outcomes.iter().flatten());
    let already = already.filter(|outcomes| outcomes.first() == Some(&Outcome::Event(0.0))).count() / twin.trial.arms.len().max(1);
    let intro = format!(
        "{TWINS} virtual twins, drawn from the posterior of the whole record, go through every policy from the last visit on, for {:.0} years with visits \
         every 28 days. They differ by what the record leaves open. Progression: PSA above 1.2 times the first PSA ({} ng/mL) at two visits in a row; \
         {already} of the twins are above that at their first visit already.",
        HORIZON_DAYS / 365.25,
        format_number(twin.reference, 3),
    );
    let list = vec![
        "continuous: full dose without a break".to_owned(),
        "adaptive: off at half the first PSA, on again at the first PSA".to_owned(),
        "intermittent: off after 36 weeks if the PSA is 4 ng/mL or less, on again at 10 ng/mL".to_owned(),
    ];
    let blocks = vec![
        Block::Paragraph(intro),
        Block::List(list),
        Block::Figure(Figure::new("Twins without progression, by policy", Plot::Survival(survival))),
        Block::Figure(Figure::new("Days at full dose, by policy: median with 50 % and 90 % intervals", Plot::Intervals(dose))),
        Block::Table(Table { caption, columns, rows: policy_rows(twin)? }),
        Block::Table(paired(twin)?),
    ];
    Ok(Section { heading: "What policies would come to".to_owned(), blocks })
}

/// Each policy against the first, on the same twins.
fn paired(twin: &Twin) -> Result<Table, TrialError> {
    let mut rows = Vec::new();
    let Some((first, others)) = twin.trial.arms.split_first() else { return Err(TrialError::Stopped) };
    for other in others {
        let values = |arm: &str| Ok::<_, TrialError>(numbers(&twin.trial.outcomes(arm, PROGRESSION)?));
        let (base, alternative) = (values(&first.name)?, values(&other.name)?);
        if base.len() != alternative.len() {
            continue; // a course failed in one arm only: those pairs cannot be told apart here
        }
        let difference = PairedDifference::of(&alternative, &base)?;
        let mean = format!(
            "{} ± {}",
            format_number(difference.difference.mean, 3),
            format_number(difference.difference.standard_error, 2)
        );
        rows.push(vec![format!("{} less {}", other.name, first.name), mean, format!("{} of {}", difference.better, base.len())]);
    }
    let columns =
        vec![Column::text("Comparison"), Column::number("Mean difference ± standard error, d"), Column::number("Twins that gain")];
    Ok(Table { caption: "Time to progression (or end), paired on the same twins".to_owned(), columns, rows })
}

fn knowledge(twin: &Twin) -> Section {
    let record = &twin.posterior.record;
    let mut list = vec![
        format!("It knows {} PSA readings and when therapy was on. Nothing else of the record enters.", record.readings),
        "It takes the tumor for two kinds of cells that compete for room, and PSA for a fixed share of them. It knows no imaging, no genomics, no \
         other drug and no toxicity."
            .to_owned(),
        "Its bands hold for errors that scatter as in the past, and neighboring readings count as about a third of an independent one each."
            .to_owned(),
        "A twin that has never seen resistance can only tell from its prior when resistance comes.".to_owned(),
    ];
    for (observable, count) in &record.unused {
        list.push(format!("Not used: {count} observations of {observable}."));
    }
    if !record.is_sound() {
        list.push("The draws from the posterior have not converged to the demanded accuracy; read intervals as rough.".to_owned());
    }
    if !twin.trial.failures.is_empty() {
        list.push(format!("{} courses in silico failed and are left out.", twin.trial.failures.len()));
    }
    Section { heading: "What the twin knows, and what it does not".to_owned(), blocks: vec![Block::List(list)] }
}

fn provenance(patient: &Patient, twin: &Twin) -> Section {
    let mut sources: BTreeMap<String, usize> = BTreeMap::new();
    for entry in patient.timeline.entries() {
        *sources.entry(format!("{:?}: {}", entry.provenance.origin, entry.provenance.source)).or_default() += 1;
    }
    let mut rows: Vec<Vec<String>> =
        sources.into_iter().map(|(source, count)| vec![source, format!("{count} entries of the record")]).collect();
    let record = &twin.posterior.record;
    let row = |what: &str, how: String| vec![what.to_owned(), how];
    rows.push(row("Model", "sensitive_resistant: Strobl et al. 2021, doi:10.1158/0008-5472.CAN-20-0806".to_owned()));
    rows.push(row("Prior", "psa_sensitive_resistant, weakly informative, a choice of this library".to_owned()));
    rows.push(row(
        "Method",
        format!("{}; {} model evaluations, {} of them failed", record.method, record.evaluations, record.failures),
    ));
    rows.push(row("Stopped because", record.stopped.clone()));
    if let Some(diagnosis) = &record.diagnosis {
        let worst = diagnosis.coordinates().iter().map(|coordinate| coordinate.r_hat).fold(f64::NAN, f64::max);
        let least =
            diagnosis.coordinates().iter().map(|coordinate| coordinate.bulk_ess.min(coordinate.tail_ess)).fold(f64::NAN, f64::min);
        let verdict = if diagnosis.is_good() { "passed" } else { "not passed" };
        rows.push(row("Diagnosis", format!("{verdict}; largest R-hat {worst:.3}, smallest effective sample {least:.0}")));
    }
    rows.push(row("Seed and version", format!("seed {SEED}; twin {}", env!("CARGO_PKG_VERSION"))));
    let table = Table { caption: "Where it comes from".to_owned(), columns: vec![Column::text("What"), Column::text("How")], rows };
    Section { heading: "Provenance".to_owned(), blocks: vec![Block::Table(table)] }
}
