//! Designs of trials against published constants and exact computations.

use super::{Claim, words};
use twin_core::Random;
use twin_models::survival::Lifetime;
use twin_trials::design::{
    Boin, Boundary, GroupSequential, SimonTwoStage, Spending, SurvivalTrial, ThreePlusThree, TwoStageDesign,
};
use twin_trials::design::{schoenfeld_events, schoenfeld_power, simulate_power};
use twin_trials::statistics::{FollowUp, KaplanMeier, log_rank};

const SIMON: &str = "Simon 1989, doi:10.1016/0197-2456(89)90015-9; exact binomial enumeration";
const JENNISON: &str = "Jennison and Turnbull 2000, tables 2.1 and 2.3; multivariate normal integration";
const BOIN: &str = "Liu and Yuan 2015, doi:10.1111/rssc.12089; closed form";
const STORER: &str = "exact binomial computation of the 3+3 design without confirmation";
const SCHOENFELD: &str = "Schoenfeld 1981, doi:10.1093/biomet/68.1.316; closed form";
const FREIREICH: &str = "Freireich 1963, 6-mercaptopurine against placebo; Cox and Oakes 1984";
const INFLATION: &str = "Gauss-Legendre integration with 200 nodes, NumPy";
const SPENDING: &str = "Lan and DeMets 1983, doi:10.1093/biomet/70.3.659; closed form";

fn claim(
    id: String,
    what: &str,
    source: &'static str,
    expected: f64,
    run: impl Fn() -> super::Ours + Send + Sync + 'static,
) -> Claim {
    Claim::quick(format!("design.{id}"), what, source, (expected, 1e-4 * expected.abs().min(1.0)), run)
}

fn simon(claims: &mut Vec<Claim>) {
    type Row = (&'static str, f64, f64, bool, [f64; 8]);
    let rows: [Row; 4] = [
        (
            "10_30_optimal",
            0.1,
            0.3,
            true,
            [1.0, 10.0, 5.0, 29.0, 15.014_120_347_1, 0.736_098_929_1, 0.047_086_306_643_9, 0.805_062_913_150_3],
        ),
        (
            "10_30_minimax",
            0.1,
            0.3,
            false,
            [1.0, 15.0, 5.0, 25.0, 19.509_569_810_809_4, 0.549_043_018_919_1, 0.032_808_676_815_2, 0.801_700_570_418_9],
        ),
        (
            "20_40_optimal",
            0.2,
            0.4,
            true,
            [3.0, 13.0, 12.0, 43.0, 20.580_270_714_88, 0.747_324_309_504, 0.049_581_449_748_1, 0.800_214_356_188_1],
        ),
        (
            "20_40_minimax",
            0.2,
            0.4,
            false,
            [4.0, 18.0, 10.0, 33.0, 22.254_692_764_070_7, 0.716_353_815_728_6, 0.045_830_134_167_3, 0.801_141_682_420_8],
        ),
    ];
    type Field = (&'static str, fn(&TwoStageDesign) -> f64);
    let fields: [Field; 8] = [
        ("stop_at_most", |design| design.stop_at_most as f64),
        ("first", |design| design.first as f64),
        ("reject_at_most", |design| design.reject_at_most as f64),
        ("total", |design| design.total as f64),
        ("expected_patients", |design| design.expected_patients),
        ("early_stop", |design| design.early_stop),
        ("alpha", |design| design.alpha),
        ("power", |design| design.power),
    ];
    for (id, uninteresting, desirable, optimal, expected) in rows {
        let question = SimonTwoStage { uninteresting, desirable, alpha: 0.05, power: 0.8, largest: 50 };
        for ((field, read), expected) in fields.into_iter().zip(expected) {
            let run = move || {
                let design = if optimal { question.optimal() } else { question.minimax() };
                design.map(|design| read(&design)).map_err(words)
            };
            claims.push(claim(
                format!("simon_{id}.{field}"),
                "Simon's two-stage design, alpha 0.05, power 0.8",
                SIMON,
                expected,
                run,
            ));
        }
    }
}

fn looks(claims: &mut Vec<Claim>) {
    let rows: [(&str, Boundary, &[f64]); 6] = [
        ("obrien_fleming_2", Boundary::OBrienFleming, &[2.796_509_681_29, 1.977_430_959_294]),
        ("obrien_fleming_3", Boundary::OBrienFleming, &[3.471_091_442_339, 2.454_432_296_997, 2.004_035_578_616]),
        (
            "obrien_fleming_5",
            Boundary::OBrienFleming,
            &[4.561_742_297_932, 3.225_638_912_893, 2.633_723_143_685, 2.280_871_148_966, 2.040_073_174_802],
        ),
        ("pocock_2", Boundary::Pocock, &[2.178_272_088_784; 2]),
        ("pocock_3", Boundary::Pocock, &[2.289_478_060_819; 3]),
        ("pocock_5", Boundary::Pocock, &[2.413_176_220_101; 5]),
    ];
    for (id, boundary, expected) in rows {
        for (look, &expected_z) in expected.iter().enumerate() {
            let count = expected.len();
            let run = move || {
                let design = GroupSequential::equal(count, 0.05, boundary).map_err(words)?;
                design.boundaries.get(look).copied().ok_or_else(|| "no such look".to_owned())
            };
            let what = "boundary of the standardized statistic, two-sided level 0.05";
            claims.push(claim(format!("{id}.look_{}", look + 1), what, JENNISON, expected_z, run));
        }
    }
    for (id, spending, information, expected) in
        [("obrien_fleming", Spending::OBrienFleming, 0.5, 0.003_050_645_5), ("pocock", Spending::Pocock, 0.5, 0.031_005_725_4)]
    {
        let what = "two-sided alpha 0.05 spent at half the information";
        let run = move || spending.spent(0.05, information).map_err(words);
        claims.push(Claim::quick(format!("design.spending_{id}"), what, SPENDING, (expected, 1e-9), run));
    }
}

fn doses(claims: &mut Vec<Claim>) {
    for (target, escalate, deescalate) in [
        (0.2, 0.157_242_286_7, 0.238_462_438_8),
        (0.25, 0.196_800_870_6, 0.298_392_152_4),
        (0.3, 0.236_490_685_2, 0.358_519_464_6),
        (0.35, 0.276_334_316_8, 0.418_907_508_1),
    ] {
        let run = move || Boin::new(target).map(|design| design.escalate()).map_err(words);
        claims.push(claim(format!("boin_{target}.escalate"), "boundary of escalation", BOIN, escalate, run));
        let run = move || Boin::new(target).map(|design| design.deescalate()).map_err(words);
        claims.push(claim(format!("boin_{target}.deescalate"), "boundary of de-escalation", BOIN, deescalate, run));
    }
    let toxicity = [0.05, 0.1, 0.2, 0.35, 0.5];
    let stop = [0.026_557_859_4, 0.091_360_465_2, 0.257_031_543_6, 0.377_245_559_5, 0.205_213_161_4];
    let patients = [3.406_125, 3.629_965_742_4, 3.662_403_116_3, 2.707_013_989_7, 1.022_193_860_8];
    for dose in 0..toxicity.len() {
        let run = move || ThreePlusThree::exact(&toxicity).map(|outcome| outcome.stop[dose]).map_err(words);
        claims.push(claim(
            format!("three_plus_three.stop_{}", dose + 1),
            "probability to stop at the dose",
            STORER,
            stop[dose],
            run,
        ));
        let run = move || ThreePlusThree::exact(&toxicity).map(|outcome| outcome.patients[dose]).map_err(words);
        claims.push(claim(format!("three_plus_three.patients_{}", dose + 1), "expected patients", STORER, patients[dose], run));
    }
    let run = move || ThreePlusThree::exact(&toxicity).map(|outcome| outcome.pass_all).map_err(words);
    claims.push(claim("three_plus_three.pass_all".to_owned(), "probability to pass all doses", STORER, 0.042_591_410_9, run));
}

/// Weeks in remission: placebo and 6-mercaptopurine.
fn freireich() -> [Vec<FollowUp>; 2] {
    let weeks = |list: &[u32], event: bool| list.iter().map(|&week| FollowUp { time: f64::from(week), event }).collect::<Vec<_>>();
    let placebo = weeks(&[1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], true);
    let mut treated = weeks(&[6, 6, 6, 7, 10, 13, 16, 22, 23], true);
    treated.extend(weeks(&[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], false));
    [placebo, treated]
}

fn events(claims: &mut Vec<Claim>) {
    for (ratio, expected) in [
        (0.5, 65.345_659_258_9),
        (0.67, 195.754_285_782_7),
        (0.7, 246.787_104_547_4),
        (0.75, 379.351_729_597_4),
        (0.8, 630.520_171_180_5),
    ] {
        let run = move || schoenfeld_events(ratio, 0.05, 0.8, 0.5).map_err(words);
        claims.push(claim(format!("schoenfeld_{ratio}"), "events for power 0.8 at two-sided 0.05", SCHOENFELD, expected, run));
    }
    let run = || {
        let [placebo, treated] = freireich();
        log_rank(&[&placebo, &treated]).map(|test| test.statistic).map_err(words)
    };
    claims.push(claim("freireich_log_rank".to_owned(), "log-rank chi-squared", FREIREICH, 16.792_940_989_2, run));
    for (name, arm, mean) in [("placebo", 0, 8.428_571_428_571_43), ("six_mp", 1, 16.116_526_610_644_257)] {
        let run = move || {
            let curve = KaplanMeier::estimate(&freireich()[arm]).map_err(words)?;
            curve.restricted_mean(20.0).map(|mean| mean.mean).map_err(words)
        };
        claims.push(claim(format!("freireich_restricted_mean_{name}"), "mean remission within 20 weeks", FREIREICH, mean, run));
    }
}

/// Log-rank tests of simulated trials against Schoenfeld's power, and against their level where the arms do not differ.
fn simulated(claims: &mut Vec<Claim>) {
    const THEORY: &str = "Schoenfeld 1981; within four Monte-Carlo errors and 0.02 for the approximation";
    const TRIALS: usize = 4000;
    let designs: [(f64, u32, f64); 6] =
        [(0.5, 66, 0.0), (0.6, 121, 6.0), (0.7, 247, 12.0), (1.0, 60, 0.0), (1.0, 120, 12.0), (1.0, 250, 24.0)];
    for (place, (ratio, events, accrual)) in designs.into_iter().enumerate() {
        let null = place > 2;
        let expected = if null { 0.05 } else { schoenfeld_power(ratio, 0.05, f64::from(events), 0.5).unwrap_or(f64::NAN) };
        let error = 4.0 * (expected * (1.0 - expected) / TRIALS as f64).sqrt();
        let run = move || {
            let control = Lifetime::weibull(12.0, 1.0).map_err(words)?;
            let treated = Lifetime::weibull(12.0 / ratio, 1.0).map_err(words)?;
            let (patients, events) = (3 * events as usize / 2, events as usize);
            let trial = SurvivalTrial { control, treated, patients, events, accrual, alpha: 0.05 };
            let power = simulate_power(TRIALS, &Random::new(20 + place as u64), |random: &mut Random| trial.succeeds(random));
            power.map(|power| power.share).map_err(words)
        };
        let what = format!("share of log-rank tests that reject, hazard ratio {ratio}, {events} events");
        let tolerance = if null { error } else { error + 0.02 };
        claims.push(Claim::quick(format!("design.log_rank_{ratio}_{events}"), what, THEORY, (expected, tolerance), run));
    }
    for (id, boundary, power, expected) in [
        ("obrien_fleming_5_power_80", Boundary::OBrienFleming, 0.8, 1.028_408_693_6),
        ("obrien_fleming_5_power_90", Boundary::OBrienFleming, 0.9, 1.026_485_676_4),
        ("pocock_5_power_80", Boundary::Pocock, 0.8, 1.228_369_430_6),
        ("pocock_5_power_90", Boundary::Pocock, 0.9, 1.206_475_205_6),
    ] {
        let run = move || GroupSequential::equal(5, 0.05, boundary).and_then(|design| design.inflation(power)).map_err(words);
        let what = "information against that of a single look, five looks";
        claims.push(Claim::quick(format!("design.inflation_{id}"), what, INFLATION, (expected, 1e-6), run));
    }
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    simon(&mut claims);
    looks(&mut claims);
    doses(&mut claims);
    events(&mut claims);
    simulated(&mut claims);
    claims
}
