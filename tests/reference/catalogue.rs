//! How many of the catalog's numbers are shown: the claims of each family, and what is not shown and why.

use std::collections::BTreeMap;
use twin_tests::claims;

/// Families of claims, and how many numbers of the catalog's sections B1 to B7 and B10 each must show at least.
const FAMILIES: [(&str, usize); 8] = [
    ("radiation.", 60),
    ("kinetics.", 18),
    ("effect.", 22),
    ("toxicity.", 25),
    ("immune.", 15),
    ("clones.", 10),
    ("psa.", 4),
    ("molecular.", 8),
];

/// Numbers of the catalog that no claim shows, and why.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("doubling time and suppressing dose over laws (Murphy 2016)", "needs the article's data and protocol"),
    ("prediction scores of breast and lung (Benzekry 2014)", "needs the data and a calibration; not a number of a model alone"),
    ("fit of 36 cohorts of lung cancer (Jeong 2017)", "a result of a fit to cohorts that are not at hand"),
    ("covariates of docetaxel and its baseline (Kloft 2006)", "not in the library yet"),
    ("oxaliplatin, sunitinib, capecitabine, radiation neutropenia, immune-related events", "not in the library yet"),
    ("cerebrospinal fluid of temozolomide (Ostermann 2004)", "not in the library yet"),
    ("temozolomide by body surface and sex (Jen 2000)", "not in the library yet"),
    ("docetaxel by covariates, bias and precision (Bruno 1996)", "values to be taken from the article"),
    ("spread among patients of Claret 2014 and of Mazzocco 2015", "inputs of populations, not results"),
    ("PET, diameters and survival under sunitinib (Schindler 2016)", "not in the library yet"),
    ("correlation of cost and turnover of patients (Strobl 2021)", "needs the patients' data"),
    ("ranges of Portz-Kuang-Nagy and Baez-Kuang", "ranges of fits, not results; Portz-Kuang-Nagy is not in the library yet"),
    (
        "hazards of the genomic dose (Scott 2021), survival by MGMT, EGFR T790M (L'Hostis 2023)",
        "results of cohorts that are not at hand",
    ),
];

#[test]
fn the_catalogue_is_counted() {
    let all = claims::all();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (family, _) in FAMILIES {
        counts.insert(family, all.iter().filter(|claim| claim.id.starts_with(family)).count());
    }
    let shown: usize = counts.values().sum();
    println!("numbers shown: {shown} of {} entries; not shown, with reason: {}", shown + NOT_SHOWN.len(), NOT_SHOWN.len());
    for (family, count) in &counts {
        println!("  {family:<12} {count}");
    }
    for (what, why) in NOT_SHOWN {
        println!("  not shown: {what}: {why}");
    }
    for (family, least) in FAMILIES {
        assert!(counts.get(family).is_some_and(|count| *count >= least), "{family} shows {:?}, not {least}", counts.get(family));
    }
    let mut ids: Vec<_> = all.iter().map(|claim| claim.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "two claims have one id");
}
