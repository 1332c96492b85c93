//! How many of the catalog's numbers are shown: the claims of each section, and what is not shown and why.

use twin_tests::claims;

/// Part of the catalog, how many of its numbers a computation can show, and how the ids of the claims that show them begin.
type Part = (&'static str, usize, &'static [&'static str]);

/// Every part of sections B1 to B7 and B10 with numbers that were computed, or read in the publication and can be computed with.
const PARTS: &[Part] = &[
    ("B1 Lewis lung, Gompertz and power law", 6, &["benzekry2014.", "growth.lewis_lung_", "growth.power_law_day20"]),
    ("B1 power law within 6 % of Gompertz", 1, &["growth.power_law_and_gompertz"]),
    ("B1 closed forms: doubling, logistic, limit, continuity of a turn", 8, &["closed_form.", "growth.exponential_linear_"]),
    ("B2 BED and EQD2 of twelve schedules", 24, &["radiation.bed_", "radiation.eqd2_"]),
    ("B2 repopulation, daily loss, CHART", 5, &["radiation.repopulation_", "radiation.daily_loss_", "radiation.chart_bed10"]),
    (
        "B2 incomplete repair",
        10,
        &["radiation.lea_catcheside_", "radiation.thames_", "radiation.chart_late_complete", "radiation.chart_late_half_4h"],
    ),
    ("B2 linear tail", 8, &["radiation.lql_effect_", "radiation.lq_effect_"]),
    ("B2 oxygen", 5, &["radiation.oer_"]),
    ("B2 early-stage lung cancer (Jeong 2017): ratio and enhancement at work", 1, &["radiation.lung_hypoxia"]),
    ("B2 proliferation saturation", 6, &["radiation.psi_"]),
    ("B2 control and glioma", 6, &["radiation.survival_", "radiation.control_"]),
    (
        "B3 parotid, lung, rectum, liver, brain",
        17,
        &["toxicity.parotid_", "toxicity.lung_", "toxicity.rectum_", "toxicity.liver_", "toxicity.brain_burman"],
    ),
    ("B3 spinal cord, early data and summary", 5, &["toxicity.spinal_cord_"]),
    ("B3 myelosuppression under paclitaxel (corrected nadir and its hour)", 2, &["toxicity.friberg_nadir"]),
    ("B3 docetaxel: baseline, slope and six effects of covariates", 8, &["toxicity.docetaxel_"]),
    ("B4 temozolomide: half-life, exposure, cerebrospinal fluid, clearance by sex", 5, &["kinetics.temozolomide_"]),
    ("B4 nivolumab", 5, &["kinetics.nivolumab_"]),
    ("B4 carboplatin", 3, &["kinetics.calvert_"]),
    ("B4 body size and renal function", 3, &["kinetics.body_surface_", "kinetics.cockcroft_gault"]),
    ("B4 closed forms against equations at 1e-8", 4, &["kinetics.agreement_"]),
    ("B5 Simeoni", 10, &["effect.simeoni_"]),
    ("B5 Norton-Simon: balance, and smaller tumors lose more", 3, &["effect.norton_simon_"]),
    ("B5 Claret", 3, &["effect.claret_"]),
    ("B5 Stein-Fojo", 2, &["effect.stein_fojo_"]),
    ("B5 low-grade glioma, untreated and twelve cycles", 4, &["effect.mazzocco_untreated_", "effect.mazzocco_12_cycles_"]),
    ("B5 sunitinib: median survival (Schindler 2016)", 1, &["survival.schindler2016_median"]),
    ("B6 Kuznetsov: equilibria, stability, eigenvalues, unit of time, orbit", 16, &["immune.kuznetsov_"]),
    ("B6 de Pillis-Radunskaya", 4, &["immune.de_pillis_"]),
    ("B6 Hahnfeldt and its optimal control", 5, &["effect.hahnfeldt_", "effect.antiangiogenic_"]),
    ("B6 three species", 3, &["clones.zhang_growth_"]),
    ("B6 days to progression (Strobl 2021)", 18, &["strobl2021."]),
    ("B6 probability of resistance, and paths that converge to it", 7, &["clones.resistance_", "clones.paths_"]),
    ("B7 PSA under docetaxel (Desmée 2015)", 4, &["psa.desmee_"]),
    ("B10 genomic dose", 3, &["molecular.gard_"]),
    ("B10 index of ranks, expression refused", 2, &["molecular.rsi_"]),
    ("B10 survival by MGMT methylation, virtual arms", 4, &["molecular.arm_"]),
    ("B10 genotypes of low-grade glioma", 2, &["molecular.glioma_"]),
    ("B10 links without a constant: width, not a point", 4, &["molecular.width_"]),
    ("B10 cellularity by diffusion", 3, &["molecular.cellularity_"]),
];

/// Numbers of the catalog that no claim shows, and why.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("B1 doubling time and suppressing dose over laws (Murphy 2016)", "needs the article's data and protocol"),
    ("B1 prediction scores of breast and lung (Benzekry 2014)", "needs the data and a calibration; not a number of a model alone"),
    ("B2 intervals of the fit of 36 cohorts (Jeong 2017)", "results of a fit to cohorts that are not at hand"),
    (
        "B3 nadir 2.9950 at 175.0 h",
        "belongs to two stages of maturation; the published structure has three, which give 2.9188 at 221.8 h",
    ),
    ("B3 spread among patients of both myelosuppressions", "inputs of populations, not results"),
    (
        "B3 oxaliplatin, radiation neutropenia, immune-related events, and sunitinib but for hand-foot syndrome",
        "not in the library: too few values at hand",
    ),
    (
        "B3 hand-foot syndrome under capecitabine (Henin 2009): 0.102 a week, 4.14 and 3.17",
        "inputs, and three of more that the model takes; it is not in the library",
    ),
    ("B4 covariates and spread of nivolumab (Bajaj 2017)", "inputs; `NivolumabCovariates` has the former"),
    ("B4 docetaxel by covariates, bias and precision (Bruno 1996)", "values to be taken from the article"),
    ("B5 spread among patients of Claret 2014 and of Mazzocco 2015", "inputs of populations, not results"),
    ("B5 PET and diameters under sunitinib (Schindler 2016)", "the structure was not at hand to be sure of"),
    ("B6 correlation of cost and turnover of patients (Strobl 2021)", "needs the patients' data"),
    ("B7 ranges of Portz-Kuang-Nagy, Baez-Kuang and Hirata", "ranges of fits, not results; they are the ranges of the models"),
    (
        "B10 hazards of the genomic dose (Scott 2021), time to progression under gefitinib (L'Hostis 2023)",
        "results of cohorts that are not at hand",
    ),
];

#[test]
fn the_catalogue_is_counted() {
    let all = claims::all();
    let (mut expected, mut shown, mut short) = (0, 0, Vec::new());
    for (part, numbers, prefixes) in PARTS {
        let found = all.iter().filter(|claim| prefixes.iter().any(|prefix| claim.id.starts_with(prefix))).count();
        println!("  {part}: {} of {numbers} shown, by {found} claims", found.min(*numbers));
        expected += numbers;
        shown += found.min(*numbers);
        if found < *numbers {
            short.push(*part);
        }
    }
    for family in ["growth.", "radiation.", "kinetics.", "effect.", "toxicity.", "immune.", "clones.", "psa.", "molecular."] {
        println!("  claims of {family}*: {}", all.iter().filter(|claim| claim.id.starts_with(family)).count());
    }
    println!("numbers expected: {expected}; shown: {shown}; entries not shown, with reason: {}", NOT_SHOWN.len());
    for (what, why) in NOT_SHOWN {
        println!("  not shown: {what}: {why}");
    }
    assert!(short.is_empty(), "fewer claims than numbers: {short:?}");
    let mut ids: Vec<_> = all.iter().map(|claim| claim.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "two claims have one id");
}
