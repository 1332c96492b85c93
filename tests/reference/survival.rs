//! Survival statistics against independent computations on published tables.
//!
//! Expected values: medians of the whole tables as in the SOURCE.md beside them; all other numbers computed with lifelines 0.30.3
//! (`KaplanMeierFitter`, `restricted_mean_survival_time`, `multivariate_logrank_test`), which agree with what the R package survival
//! prints for these tables: log-rank of NCCTG by sex 10.3 on 1 degree of freedom, of colon death by treatment 11.7 on 2. Standard
//! errors of the restricted mean follow Greenwood's formula, computed with NumPy.

use std::collections::BTreeMap;
use twin_trials::statistics::{FollowUp, KaplanMeier, log_rank};

/// The rows of a table, by column name; `None`, with a note, where the table is not at hand. A missing table fails under CI.
fn table(name: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let path = twin_tests::data("survival", &format!("data/survival_tables/{name}"))?;
    let mut reader = csv::Reader::from_path(&path).unwrap();
    Some(reader.deserialize().map(Result::unwrap).collect())
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Follow-ups whose status column holds `event` when the event happened.
fn follow_ups(rows: &[BTreeMap<String, String>], time: &str, status: &str, event: &str) -> Vec<FollowUp> {
    rows.iter().map(|row| FollowUp { time: number(row, time), event: row[status] == event }).collect()
}

fn by_group(
    rows: &[BTreeMap<String, String>],
    column: &str,
    (time, status, event): (&str, &str, &str),
) -> BTreeMap<String, Vec<FollowUp>> {
    let mut groups: BTreeMap<String, Vec<FollowUp>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row[column].is_empty()) {
        groups.entry(row[column].clone()).or_default().extend(follow_ups(std::slice::from_ref(row), time, status, event));
    }
    groups
}

fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

struct Expected {
    subjects: usize,
    events: usize,
    /// median, lower, upper
    median: (f64, f64, Option<f64>),
    /// time, survival, lower, upper, at risk
    survival: &'static [(f64, f64, f64, f64, usize)],
    /// horizon, mean, standard error
    restricted_mean: (f64, f64, f64),
}

fn check(follow_ups: &[FollowUp], expected: &Expected) {
    let curve = KaplanMeier::estimate(follow_ups).unwrap();
    assert_eq!((curve.subjects(), curve.events()), (expected.subjects, expected.events));
    let median = curve.median();
    let (time, lower, upper) = expected.median;
    assert_eq!((median.time, median.lower, median.upper), (Some(time), Some(lower), upper));
    for &(time, survival, lower, upper, at_risk) in expected.survival {
        let found = curve.survival_at(time).unwrap();
        let interval = found.interval.unwrap();
        close("survival", found.survival, survival, 1e-9);
        close("lower limit", interval.0, lower, 1e-9);
        close("upper limit", interval.1, upper, 1e-9);
        assert_eq!(curve.at_risk(time), at_risk);
    }
    let (horizon, mean, error) = expected.restricted_mean;
    let found = curve.restricted_mean(horizon).unwrap();
    close("restricted mean", found.mean, mean, 1e-7);
    close("its standard error", found.standard_error, error, 1e-8);
}

#[test]
fn ncctg_loprinzi1994_kaplan_meier() {
    let Some(rows) = table("cancer.csv") else { return };
    let expected = Expected {
        subjects: 228,
        events: 165,
        median: (310.0, 284.0, Some(361.0)),
        survival: &[
            (182.0, 0.708_054_226_0, 0.643_995_454_8, 0.762_738_352_8, 157),
            (365.0, 0.409_241_624_5, 0.338_714_269_1, 0.478_380_767_6, 65),
            (730.0, 0.115_693_098_3, 0.067_632_151_5, 0.177_825_199_7, 13),
        ],
        restricted_mean: (730.0, 357.073_251_610_3, 16.219_344_235_5),
    };
    check(&follow_ups(&rows, "time", "status", "2"), &expected);
}

#[test]
fn ncctg_loprinzi1994_medians_by_sex() {
    let Some(rows) = table("cancer.csv") else { return };
    let found: Vec<_> = by_group(&rows, "sex", ("time", "status", "2"))
        .values()
        .map(|group| {
            let median = KaplanMeier::estimate(group).unwrap().median();
            [median.time, median.lower, median.upper].map(Option::unwrap)
        })
        .collect();
    assert_eq!(found, [[270.0, 210.0, 306.0], [426.0, 345.0, 524.0]]);
}

#[test]
fn larynx_kardaun1983_kaplan_meier() {
    let Some(rows) = table("larynx.csv") else { return };
    let expected = Expected {
        subjects: 90,
        events: 50,
        median: (6.0, 3.8, Some(7.0)),
        survival: &[
            (1.0, 0.844_444_444_4, 0.751_519_260_2, 0.904_771_024_6, 78),
            (5.0, 0.531_260_233_6, 0.418_154_270_4, 0.632_019_549_5, 34),
        ],
        restricted_mean: (8.0, 4.947_148_209_8, 0.312_263_325_4),
    };
    check(&follow_ups(&rows, "time", "delta", "1"), &expected);
}

#[test]
fn colon_moertel1990_kaplan_meier_with_an_unbounded_median() {
    let Some(mut rows) = table("colon.csv") else { return };
    rows.retain(|row| row["etype"] == "2");
    let expected = Expected {
        subjects: 929,
        events: 452,
        median: (2552.0, 2152.0, None),
        survival: &[
            (365.0, 0.916_038_751_3, 0.896_286_871_3, 0.932_171_908_4, 852),
            (1825.0, 0.564_417_396_6, 0.531_844_047_0, 0.595_642_968_6, 511),
        ],
        restricted_mean: (2000.0, 1_466.352_800_698_7, 21.946_806_660_0),
    };
    check(&follow_ups(&rows, "time", "status", "1"), &expected);
}

#[test]
fn rotterdam_royston2013_kaplan_meier() {
    let Some(rows) = table("rotterdam.csv") else { return };
    let relapse_free = |row: &BTreeMap<String, String>| {
        let relapsed = row["recur"] == "1";
        let time = number(row, if relapsed { "rtime" } else { "dtime" });
        FollowUp { time, event: relapsed || row["death"] == "1" }
    };
    let expected = Expected {
        subjects: 2982,
        events: 1713,
        median: (2458.0, 2222.0, Some(2681.0)),
        survival: &[(1826.25, 0.567_859_187_0, 0.549_738_017_2, 0.585_547_415_3, 1581)],
        restricted_mean: (3650.0, 2_254.758_907_529_2, 25.349_729_908_3),
    };
    check(&rows.iter().map(relapse_free).collect::<Vec<_>>(), &expected);
    let expected = Expected {
        subjects: 2982,
        events: 1272,
        median: (4033.0, 3885.0, Some(4239.0)),
        survival: &[(1826.25, 0.743_535_116_0, 0.727_319_925_9, 0.758_952_002_5, 2084)],
        restricted_mean: (3650.0, 2_787.878_374_636_1, 21.488_792_695_9),
    };
    check(&follow_ups(&rows, "dtime", "death", "1"), &expected);
}

#[test]
fn log_rank_as_in_lifelines() {
    type Row = (&'static str, &'static str, (&'static str, &'static str, &'static str), f64, usize, f64);
    let cases: [Row; 6] = [
        ("cancer.csv", "sex", ("time", "status", "2"), 10.326_741_954_9, 1, 1.311_165e-3),
        ("cancer.csv", "ph.ecog", ("time", "status", "2"), 21.962_131_682_5, 3, 6.642_535e-5),
        ("larynx.csv", "stage", ("time", "delta", "1"), 22.762_757_064_6, 3, 4.525_211e-5),
        ("colon.csv", "rx", ("time", "status", "1"), 11.683_092_710_6, 2, 2.904_348e-3),
        ("rotterdam.csv", "hormon", ("dtime", "death", "1"), 23.686_671_650_1, 1, 1.133_649e-6),
        ("rotterdam.csv", "size", ("dtime", "death", "1"), 280.868_539_329_1, 2, 1.023_697e-61),
    ];
    for (name, column, outcome, statistic, degrees, p_value) in cases {
        let Some(mut rows) = table(name) else { return };
        rows.retain(|row| row.get("etype").is_none_or(|kind| kind == "2"));
        let groups = by_group(&rows, column, outcome);
        let test = log_rank(&groups.values().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        close(name, test.statistic / statistic, 1.0, 1e-10);
        assert_eq!(test.degrees_of_freedom, degrees, "{name}, {column}");
        close(name, test.p_value / p_value, 1.0, 1e-6);
    }
}
