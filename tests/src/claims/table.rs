//! The table of all rows: counted by family and by reference, as the pages of the book and as a picture.

use super::record::{Record, book, of};
use super::references::{Kind, Reference, references};
use super::{Claim, NOT_REPRODUCED, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What the rows of a family show: the beginning of their ids up to the dot, and what is compared.
const FAMILIES: &[(&str, &str)] = &[
    ("benzekry2014", "Gompertz growth of Lewis lung carcinoma"),
    ("bruchovsky2006", "forecasts of real PSA under intermittent deprivation"),
    ("certified", "the integrator against series of 30 digits"),
    ("chaudhuri2023", "risk-aware radiotherapy of 100 virtual gliomas"),
    ("claret2014", "tumor size, survival and power of a trial in Asian patients"),
    ("clones", "probability of resistance, growth of three species"),
    ("closed_form", "laws of growth against their closed forms"),
    ("design", "designs of trials; level and power by simulation"),
    ("effect", "effects of drugs on a tumor, courses and figures"),
    ("engine", "trials killed, and on the engines of others: the same bytes"),
    ("eortc26981", "temozolomide in glioblastoma, by methylation"),
    ("gallagher2024", "thresholds of adaptive therapy against the clinical rule"),
    ("growth", "parameter sets of laws of growth"),
    ("iadt", "resistance and PSA under intermittent deprivation, leave one patient out"),
    ("immune", "immune and angiogenic models: equilibria, courses, an optimum"),
    ("io", "values of clinical files that other readers give"),
    ("ivp", "stiff problems"),
    ("javelin", "a negative trial with crossing hazards"),
    ("kinetics", "kinetics of drugs, doses, body size"),
    ("kostelich2011", "assimilation of scans: a tumor shadowed for 360 days"),
    ("laleh2022", "fits and forecasts of target lesions of five trials"),
    ("molecular", "molecular indices and what they change"),
    ("nist", "nonlinear regressions from both starts"),
    ("nlme", "populations: theophylline by SAEM and FOCEI, two arms simulated"),
    ("planning", "searches against known fronts and optima, hard limits, honesty and speed of answers"),
    ("posterior", "reference posteriors by NUTS; the living twin: speed, agreement with a refit"),
    ("posteriordb", "posteriors of two samplers"),
    ("privacy", "marks of a patient that a release must not bear"),
    ("psa", "PSA and survival under a treatment that is escaped"),
    ("radiation", "radiobiology: schedules, repair, oxygen, tumor control"),
    ("recist", "day of progression of courses worked by hand"),
    ("sbc", "ranks of 500 truths in their posteriors"),
    ("scott2021", "genomic adjusted against physical dose"),
    ("sbml", "models of systems biology, by the suite's own tolerances"),
    ("sensitivity", "Sobol indices against closed forms"),
    ("spatial", "orders of convergence, speed of a front"),
    ("strobl2021", "days to progression under adaptive therapy"),
    ("survival", "regressions and curves of survival"),
    ("toxicity", "complications of normal tissue, blood counts"),
    ("tumortwin", "fields of a neighbor's program"),
    ("ucum", "units"),
    ("wu2025", "schedules of chemotherapy of breast cancer"),
    ("zhang2017", "adaptive against continuous abiraterone, from four patients"),
    ("zhang2022", "forecasts of real PSA under abiraterone"),
];

/// The family of an id: what stands before its first dot.
#[must_use]
pub fn family(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// The rows by reference.
#[must_use]
pub fn by_reference(claims: &[Claim]) -> BTreeMap<Reference, usize> {
    let mut counts = BTreeMap::new();
    for reference in claims.iter().flat_map(references) {
        *counts.entry(reference).or_default() += 1;
    }
    counts
}

/// How many references from outside this project the rows rest on.
#[must_use]
pub fn sources(claims: &[Claim]) -> usize {
    by_reference(claims).keys().filter(|reference| reference.kind.is_outside()).count()
}

/// The pages that are made from the record: their places in the book, and their texts.
///
/// # Errors
/// In words, if the page of validation lacks the marks between which the summary goes.
pub fn pages(claims: &[Claim], record: &Record) -> Result<[(&'static str, String); 3], String> {
    const PAGE: &str = "validation.md";
    let page = std::fs::read_to_string(book().join(PAGE)).map_err(super::words)?;
    let page = between(&page, "<!-- claims -->\n", "<!-- /claims -->", &summary(claims, record))?;
    Ok([(PAGE, page), ("validation-rows.md", rows(claims, record)), ("validation/agreement.svg", picture(claims, record))])
}

fn between(page: &str, begin: &str, end: &str, text: &str) -> Result<String, String> {
    let (head, rest) = page.split_once(begin).ok_or_else(|| format!("no {begin}"))?;
    let (_, tail) = rest.split_once(end).ok_or_else(|| format!("no {end}"))?;
    Ok(format!("{head}{begin}{text}{end}{tail}"))
}

fn outcome(record: &Record, claim: &Claim) -> Option<Outcome> {
    of(record, claim).map(|recorded| recorded.outcome)
}

fn count(claims: &[&Claim], record: &Record, wanted: Option<Outcome>) -> usize {
    claims.iter().filter(|claim| outcome(record, claim) == wanted).count()
}

fn by_family(claims: &[Claim]) -> BTreeMap<&str, Vec<&Claim>> {
    let mut families: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    for claim in claims {
        families.entry(family(&claim.id)).or_default().push(claim);
    }
    families
}

/// A text as the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('[', "\\[")
}

fn linked(reference: &Reference) -> String {
    let Reference { citation, link, .. } = reference;
    let address = match link.split_once(':') {
        Some(("doi", doi)) => format!("https://doi.org/{doi}").replace('(', "%28").replace(')', "%29"),
        Some(("arXiv", number)) => format!("https://arxiv.org/abs/{number}"),
        _ => link.clone(),
    };
    let text = if citation.is_empty() { link.as_str() } else { citation };
    if address.is_empty() { cell(text) } else { format!("[{}]({address})", cell(text)) }
}

/// The summary in the page of validation.
fn summary(claims: &[Claim], record: &Record) -> String {
    let all: Vec<&Claim> = claims.iter().collect();
    let quick = claims.iter().filter(|claim| claim.quick).count();
    let references = by_reference(claims);
    let outcomes = Outcome::ALL.map(|outcome| format!("{} {}", count(&all, record, Some(outcome)), outcome.word()));
    let mut page = String::new();
    let _ = writeln!(
        page,
        "\n{} rows, {quick} of them quick, rest on {} sources from outside this project. As last recorded: {}; {} were not run yet.\n",
        claims.len(),
        sources(claims),
        outcomes.join(", "),
        count(&all, record, None),
    );
    page += "![Agreement of every row with its number, as a share of its tolerance](validation/agreement.svg)\n\n";
    page += "Each dot is a row: how far ours lies from the number, as a share of the row's tolerance. Left of the line is agreement; dots at the left\n\
             edge agree to the last digit or to a millionth of the tolerance. [Every row](validation-rows.md) stands on a page of its own.\n\n\
             ### By family\n\n| rows | number | quick | pass | not reproduced | open | fail | what is compared |\n|---|---|---|---|---|---|---|---|\n";
    for (family, rows) in by_family(claims) {
        let what = FAMILIES.iter().find(|(name, _)| *name == family).map_or("", |(_, what)| what);
        let [pass, not_reproduced, open, fail] = Outcome::ALL.map(|outcome| count(&rows, record, Some(outcome)));
        let quick = rows.iter().filter(|claim| claim.quick).count();
        let _ = writeln!(page, "| `{family}` | {} | {quick} | {pass} | {not_reproduced} | {open} | {fail} | {what} |", rows.len());
    }
    page += "\n### By source\n\n| source | kind | rows | where |\n|---|---|---|---|\n";
    for (reference, rows) in &references {
        let _ = writeln!(page, "| {} | {} | {rows} | {} |", cell(&reference.name), reference.kind.word(), linked(reference));
    }
    page += "\n### Not reproduced\n\n";
    for (id, why) in NOT_REPRODUCED {
        let _ = writeln!(page, "- `{id}`: {why}.");
    }
    page.push('\n');
    page
}

/// A number in few digits.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(1e-3..1e6).contains(&size) {
        let text = format!("{value:.6e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((text.as_str(), "0"));
        format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
    } else {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The page of every row.
fn rows(claims: &[Claim], record: &Record) -> String {
    let mut page = "# Every row\n\nWritten by `cargo run --release -p twin-tests --bin validate -- --record`; see [validation](validation.md).\n\
                    *slow* rows are left out of `--quick`.\n"
        .to_owned();
    for (family, rows) in by_family(claims) {
        let _ = writeln!(
            page,
            "\n## {family}\n\n| row | what | expected | tolerance | ours | outcome | source |\n|---|---|---|---|---|---|---|"
        );
        for claim in rows {
            let recorded = of(record, claim);
            let ours = recorded.and_then(|recorded| recorded.ours).map_or_else(|| "–".to_owned(), number);
            let outcome = recorded.map_or("not run yet", |recorded| recorded.outcome.word());
            let slow = if claim.quick { "" } else { " *slow*" };
            let _ = writeln!(
                page,
                "| `{}`{slow} | {} | {} | {} | {ours} | {outcome} | {} |",
                claim.id,
                cell(&claim.claim),
                number(claim.expected),
                number(claim.tolerance),
                cell(claim.source)
            );
        }
    }
    page
}

const FLOOR: f64 = 1e-6;
const CEILING: f64 = 1e2;
const LABELS: f64 = 112.0;
const WIDTH: f64 = 480.0;
const ROW: f64 = 19.0;

fn across(distance: f64) -> f64 {
    let share = (distance.clamp(FLOOR, CEILING).log10() - FLOOR.log10()) / (CEILING.log10() - FLOOR.log10());
    LABELS + 8.0 + share * (WIDTH - LABELS - 20.0)
}

/// The picture of every row that was recorded, by family.
fn picture(claims: &[Claim], record: &Record) -> String {
    let families = by_family(claims);
    let bottom = 34.0 + ROW * families.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Agreement of every row</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        bottom + 44.0
    );
    for (value, label) in [(1e-6, "1e-6"), (1e-4, "1e-4"), (1e-2, "0.01"), (1.0, "1"), (1e2, "100")] {
        let x = across(value);
        let (color, width) = if value == 1.0 { ("#1a1a1a", 1.4) } else { ("#d9d9d9", 0.8) };
        let _ = writeln!(svg, "<path d=\"M{x:.1} 24V{bottom:.1}\" stroke=\"{color}\" stroke-width=\"{width}\"/>");
        let _ =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#5c5c5c\">{label}</text>", bottom + 16.0);
    }
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"16\" text-anchor=\"middle\">tolerance</text>", across(1.0));
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">distance as a share of the tolerance</text>",
        across(1e-2),
        bottom + 36.0
    );
    for (place, (family, rows)) in families.iter().enumerate() {
        let y = 34.0 + ROW * (place as f64 + 0.5);
        let _ = writeln!(svg, "<text x=\"{LABELS}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#1a1a1a\">{family}</text>", y + 4.0);
        for (index, recorded) in rows.iter().filter_map(|claim| of(record, claim)).enumerate() {
            let Some(distance) = recorded.distance else { continue };
            // Dots are spread over the row's height so that they can be told apart.
            let (x, y) = (across(distance), y + 2.0 * (index % 7) as f64 - 6.0);
            let _ = match recorded.outcome {
                Outcome::Pass => {
                    writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"#0072B2\" fill-opacity=\"0.55\"/>")
                }
                _ => writeln!(
                    svg,
                    "<path d=\"M{:.1} {:.1}l6 6m0 -6l-6 6\" stroke=\"#D55E00\" stroke-width=\"1.6\"/>",
                    x - 3.0,
                    y - 3.0
                ),
            };
        }
    }
    svg += "</svg>\n";
    svg
}

/// Rows without a reference, and ids that stand twice.
#[must_use]
pub fn faults(claims: &[Claim]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice = claims.iter().filter(|claim| !seen.insert(&claim.id)).map(|claim| format!("{} stands twice", claim.id));
    let twice: Vec<_> = twice.collect();
    let nameless = claims.iter().filter(|claim| references(claim).is_empty());
    let nameless = nameless.map(|claim| format!("{}: its source `{}` names no reference", claim.id, claim.source));
    let unknown = NOT_REPRODUCED.iter().filter(|(id, _)| claims.iter().all(|claim| claim.id != *id));
    let unknown = unknown.map(|(id, _)| format!("{id} is listed as not reproduced, but there is no such row"));
    twice.into_iter().chain(nameless).chain(unknown).collect()
}

/// The rows and references of each kind, in words.
#[must_use]
pub fn tally(claims: &[Claim]) -> String {
    let references = by_reference(claims);
    let kinds = Kind::ALL.map(|kind| {
        let of_kind = references.iter().filter(|(reference, _)| reference.kind == kind);
        let (count, rows) = of_kind.fold((0, 0), |(count, rows), (_, more)| (count + 1, rows + more));
        format!("  {count:>3} {:<20} {rows:>4} rows", kind.word())
    });
    format!(
        "{} rows rest on {} sources from outside this project (a row may rest on several):\n{}",
        claims.len(),
        sources(claims),
        kinds.join("\n")
    )
}
