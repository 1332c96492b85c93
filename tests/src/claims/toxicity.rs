//! Complications of normal tissue, and blood counts.

use super::{Claim, Ours, digits, words};
use twin_core::{Agent, Observable, Quantity, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::composition::{Drug, NoTumor, TumorModel, UpTo};
use twin_models::toxicity::{
    COMPLICATIONS, CUMULATIVE_DOSE_RISKS, ComplicationModel, DocetaxelCovariates, DoseVolume, Friberg, HandFootSyndrome,
    complications, filtration_after_cisplatin, soluble_receptor_change,
};
use twin_models::{Model, Scenario, kinetics::drugs, simulate};

const ROWS: &str = "rows of the literature (recalled), probabilities computed from them";
const SWAIN: &str = "Swain et al. 2003, doi:10.1002/cncr.11407";
const VON_HOFF: &str = "Von Hoff et al. 1979, 7 % as cited by Swain et al. 2003, the others recalled";
const KLOFT: &str = "Kloft 2006, as in DDMODEL00000224";
const QUANTEC: &str = "QUANTEC summary of doses and outcomes";
const CISPLATIN: &str = "long-term effect of cisplatin on renal function: 12.5 % at a median of 452 mg/m2";
const HANSSON: &str =
    "Hansson et al. 2013, doi:10.1038/psp.2013.62 and .61: parameters, as in a public implementation; numbers by NumPy and SciPy";
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
    claims.extend(limits());
    claims.extend(hand_foot());
    claims
}

/// Hand-foot syndrome under sunitinib at 2 mg·h/L a day, of a typical patient that is assessed every seven days.
fn hand_foot() -> Vec<Claim> {
    let changes = || {
        let days = soluble_receptor_change(&[2.0; 84], 16.7, 1.0).map_err(words)?;
        Ok::<Vec<f64>, String>(days.into_iter().skip(6).step_by(7).collect())
    };
    let last = move || changes()?.pop().ok_or_else(|| "no assessment".to_owned());
    let any = |row: &[f64; 4]| 1.0 - row[0];
    vec![
        digits("toxicity.hand_foot_receptor", "relative change of the receptor after 84 days", HANSSON, (-0.662_307, 1e-6), last),
        digits(
            "toxicity.hand_foot_first",
            "any grade next, from none, receptor lower by 0.6",
            HANSSON,
            (0.003_684_24, 1e-8),
            move || {
                let rows = HandFootSyndrome::sunitinib().transition(-0.6).map_err(words)?;
                Ok(any(&rows[0]))
            },
        ),
        digits(
            "toxicity.hand_foot_stays",
            "grade 1 next, from grade 1, receptor lower by 0.6",
            HANSSON,
            (0.970_982_67, 1e-8),
            || {
                let rows = HandFootSyndrome::sunitinib().transition(-0.6).map_err(words)?;
                Ok(rows[1][1])
            },
        ),
        digits("toxicity.hand_foot_any", "any grade at the twelfth assessment", HANSSON, (0.043_692_04, 1e-8), move || {
            let shares = HandFootSyndrome::sunitinib().shares(0, &changes()?).map_err(words)?;
            shares.last().map(any).ok_or_else(|| "no assessment".to_owned())
        }),
    ]
}

/// Limits by cumulative dose and renal function, covariates, and rows of organs side by side.
fn limits() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (place, name, source, points) in [
        (0, "swain", SWAIN, &[(400.0, 0.05), (500.0, 0.16), (550.0, 0.26), (700.0, 0.48)][..]),
        (1, "von_hoff", VON_HOFF, &[(400.0, 0.03), (550.0, 0.07), (700.0, 0.18)][..]),
    ] {
        for &(dose, expected) in points {
            let claim = format!("heart failure after {dose} mg/m2 of doxorubicin");
            claims.push(digits(format!("toxicity.doxorubicin_{name}_{dose}"), claim, source, (expected, 1e-9), move || {
                CUMULATIVE_DOSE_RISKS.get(place).ok_or("no row")?.probability(dose).map_err(words)
            }));
        }
    }
    claims.push(digits(
        "toxicity.cisplatin_filtration",
        "share of renal function after 452 mg/m2",
        CISPLATIN,
        (0.875, 1e-9),
        || {
            let before = Quantity::new(80.0, "mL/min").map_err(words)?;
            let after = filtration_after_cisplatin(&before, 452.0).and_then(|after| after.value_in("mL/min")).map_err(words)?;
            Ok(after / 80.0)
        },
    ));
    for (organ, row, dose, expected) in [
        ("kidney", "QUANTEC", 18.0, 0.05),
        ("kidney", "QUANTEC", 28.0, 0.5),
        ("brain", "QUANTEC", 72.0, 0.05),
        ("brain", "QUANTEC", 90.0, 0.1),
    ] {
        let claim = format!("{organ} (QUANTEC summary), {dose} Gy to all of it");
        claims.push(digits(format!("toxicity.{organ}_quantec_{dose}gy"), claim, QUANTEC, (expected, 1e-9), move || {
            probability(organ, "", row, &DoseVolume::uniform(dose).map_err(words)?)
        }));
    }
    let claim = "lung at a mean of 20 Gy: greatest over least probability among the rows side by side";
    claims.push(digits("toxicity.lung_spread", claim, ROWS, (1.3635, 1e-3), || {
        let rows = complications("lung", &DoseVolume::uniform(20.0).map_err(words)?).map_err(words)?;
        let (least, most) = rows.iter().fold((1.0_f64, 0.0_f64), |(least, most), (_, risk)| (least.min(*risk), most.max(*risk)));
        Ok(most / least)
    }));
    let claim = "1 if rows of the lung disagree more than twofold on one histogram";
    claims.push(digits("toxicity.lung_rows_disagree", claim, ROWS, (1.0, 1e-9), || {
        let low = DoseVolume::differential([(2.0, 0.5), (10.0, 0.3), (20.0, 0.2)]).map_err(words)?;
        let rows = complications("lung", &low).map_err(words)?;
        let (least, most) = rows.iter().fold((1.0_f64, 0.0_f64), |(least, most), (_, risk)| (least.min(*risk), most.max(*risk)));
        Ok(f64::from(most > 2.0 * least))
    }));
    let typical =
        DocetaxelCovariates { female: false, impaired: false, previously_treated: false, acid_glycoprotein_g_per_l: 1.34 };
    let rows = [
        ("typical", typical, (5.22, 15.6)),
        ("female", DocetaxelCovariates { female: true, ..typical }, (5.22 * 0.879, 15.6)),
        ("impaired", DocetaxelCovariates { impaired: true, ..typical }, (5.22 * 1.13, 15.6)),
        ("previously_treated", DocetaxelCovariates { previously_treated: true, ..typical }, (5.22 * 0.853, 15.6)),
        ("glycoprotein_low", DocetaxelCovariates { acid_glycoprotein_g_per_l: 0.34, ..typical }, (5.22 * 0.825, 15.6 * 1.351)),
        ("glycoprotein_high", DocetaxelCovariates { acid_glycoprotein_g_per_l: 2.34, ..typical }, (5.22 * 1.495, 15.6 * 0.649)),
    ];
    for (name, covariates, (baseline, slope)) in rows {
        let claim = format!("docetaxel, {name}: neutrophils before treatment, 1e9/L");
        claims.push(digits(format!("toxicity.docetaxel_baseline_{name}"), claim, KLOFT, (baseline, 1e-9), move || {
            covariates.baseline_and_slope().map(|(baseline, _)| baseline).map_err(words)
        }));
        let claim = format!("docetaxel, {name}: slope, L/umol");
        claims.push(digits(format!("toxicity.docetaxel_slope_{name}"), claim, KLOFT, (slope, 1e-9), move || {
            covariates.baseline_and_slope().map(|(_, slope)| slope).map_err(words)
        }));
    }
    claims
}
