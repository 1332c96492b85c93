//! Complications of normal tissue, and blood counts.

use super::{Claim, Ours, digits, words};
use twin_core::{Agent, Observable, Quantity, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::composition::{Drug, NoTumor, TumorModel, UpTo};
use twin_models::toxicity::{COMPLICATIONS, ComplicationModel, DoseVolume, Friberg};
use twin_models::{Model, Scenario, kinetics::drugs, simulate};

const ROWS: &str = "rows of the literature (recalled), probabilities computed from them";
const FRIBERG: &str =
    "DDMODEL00000186 (paclitaxel, leukocytes): parameters; course integrated by SciPy 1 at a relative tolerance of 1e-9";

/// The probability by the row of `organ` whose source contains `citation` and whose endpoint contains `endpoint`.
fn probability(organ: &str, endpoint: &str, citation: &str, dose: &DoseVolume) -> Ours {
    let fits = |row: &&twin_models::toxicity::Complication| {
        row.organ == organ && row.endpoint.contains(endpoint) && row.source.to_string().contains(citation)
    };
    let row = COMPLICATIONS.iter().find(fits).ok_or("no such row")?;
    row.model.probability(dose).map_err(words)
}

/// Organ, endpoint, citation, (dose in Gy, probability), its digit.
type Row = (&'static str, &'static str, &'static str, &'static [(f64, f64)], f64);

const UNIFORM: [Row; 8] = [
    ("parotid", "", "Dijkema", &[(20.0, 0.1062), (25.0, 0.1753), (26.0, 0.1919), (30.0, 0.2675), (35.0, 0.3794)], 1e-4),
    ("lung", "symptomatic", "Marks", &[(7.0, 0.0480), (13.0, 0.0969), (20.0, 0.2059), (24.0, 0.3003), (27.0, 0.3851)], 1e-4),
    ("lung", "pooled", "pooled", &[(20.0, 0.1716), (24.0, 0.2754)], 1e-4),
    ("lung", "", "Semenenko", &[(20.0, 0.2097)], 1e-4),
    ("lung", "", "Burman", &[(20.0, 0.1538)], 1e-4),
    ("liver", "primary", "Pan", &[(32.0, 0.051_22)], 1e-5),
    ("liver", "metastases", "Pan", &[(32.0, 0.006_02)], 1e-5),
    ("brain", "", "Burman", &[(50.0, 0.133_26)], 1e-5),
];

/// Leukocytes after 315 mg of paclitaxel over 3 hours at `hours`.
fn leukocytes(hours: &[f64]) -> Result<Vec<f64>, String> {
    let friberg = Friberg::paclitaxel().map_err(words)?;
    let model = TumorModel::<_, _, UpTo<8>>::model("paclitaxel", NoTumor, Drug::new(drugs::paclitaxel().map_err(words)?, friberg));
    let model = model.map_err(words)?.with_relative_tolerance(1e-9);
    let three_hours = Span::from_hours(3.0).map_err(words)?;
    let dose = Quantity::new(315.0, "mg").map_err(words)?;
    let infusion = Treatment::infusion(Agent::new("paclitaxel").map_err(words)?, dose, three_hours).map_err(words)?;
    let looks = hours.iter().map(|hours| Time::from_days(hours / 24.0)).collect::<Result<Vec<_>, _>>().map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).treated([TimedTreatment::new(Time::ORIGIN, infusion)]).sampled(looks);
    let parameters = model.spec().defaults().map_err(words)?;
    let trajectory = simulate(&model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    trajectory.column(&Observable::new("leukocytes").map_err(words)?).ok_or_else(|| "no leukocytes".to_owned())
}

fn nadir() -> Result<(f64, f64), String> {
    let hours: Vec<f64> = (0..6000).map(|n| 0.1 * f64::from(n)).collect();
    let counts = leukocytes(&hours)?;
    let least = hours.iter().zip(&counts).min_by(|a, b| a.1.total_cmp(b.1)).map(|(hour, count)| (*hour, *count));
    least.ok_or_else(|| "no count".to_owned())
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (organ, endpoint, citation, points, digit) in UNIFORM {
        for &(dose, expected) in points {
            let word = format!(
                "{organ}_{}{}",
                citation.to_lowercase(),
                if organ == "liver" { format!("_{endpoint}") } else { String::new() }
            );
            let claim = format!("{organ} ({citation}), {dose} Gy to all of it");
            claims.push(digits(format!("toxicity.{word}_{dose}gy"), claim, ROWS, (expected, digit), move || {
                probability(organ, endpoint, citation, &DoseVolume::uniform(dose).map_err(words)?)
            }));
        }
    }
    for (dose, expected) in [(45.0, 0.032_34), (50.0, 0.078_12), (60.0, 0.288_24)] {
        let claim = format!("spinal cord (Burman, which overstates the risk), {dose} Gy");
        claims.push(digits(format!("toxicity.spinal_cord_burman_{dose}gy"), claim, ROWS, (expected, 1e-5), move || {
            probability("spinal cord", "early", "Burman", &DoseVolume::uniform(dose).map_err(words)?)
        }));
    }
    for (dose, expected) in [(50.0, 0.002), (60.0, 0.06)] {
        let claim = format!("spinal cord (QUANTEC summary), {dose} Gy");
        claims.push(digits(format!("toxicity.spinal_cord_quantec_{dose}gy"), claim, ROWS, (expected, 1e-9), move || {
            probability("spinal cord", "", "QUANTEC", &DoseVolume::uniform(dose).map_err(words)?)
        }));
    }
    let rectum = || DoseVolume::differential([(10.0, 0.3), (30.0, 0.3), (50.0, 0.2), (70.0, 0.15), (76.0, 0.05)]).map_err(words);
    claims.push(digits("toxicity.rectum_geud", "rectum: gEUD of five bins, Gy", ROWS, (62.4119, 1e-4), move || {
        rectum()?.equivalent_uniform_dose(1.0 / 0.09).map_err(words)
    }));
    claims.push(digits("toxicity.rectum_ntcp", "rectum: bleeding of grade 2 or more", ROWS, (0.073_635, 1e-6), move || {
        probability("rectum", "", "Michalski", &rectum()?)
    }));
    claims.push(digits("toxicity.lung_marks_td50", "lung: mean dose of half probability, Gy", ROWS, (30.7, 0.1), || {
        let row = COMPLICATIONS.iter().find(|row| matches!(row.model, ComplicationModel::MeanDose { .. })).ok_or("no row")?;
        // Bisection on the row itself.
        let (mut low, mut high) = (0.0, 100.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let half = row.model.probability(&DoseVolume::uniform(middle).map_err(words)?).map_err(words)? < 0.5;
            if half { low = middle } else { high = middle }
        }
        Ok(low)
    }));
    // The published structure has three stages of maturation. The 2.9950 at 175.0 h of the catalog belong to two stages at the same rate.
    claims.push(digits("toxicity.friberg_nadir", "315 mg over 3 h: least leukocytes, 1e9/L", FRIBERG, (2.9188, 1e-4), || {
        nadir().map(|(_, count)| count)
    }));
    claims.push(digits(
        "toxicity.friberg_nadir_hour",
        "315 mg over 3 h: hour of the least leukocytes",
        FRIBERG,
        (221.8, 0.2),
        || nadir().map(|(hour, _)| hour),
    ));
    claims
}
