//! Regressions of survival against published numbers and against R.
//!
//! Numbers with the source "R" were computed with R 4.2.2, survival 3.5.3 and cmprsk 2.2.11 on the same tables; those of NCCTG, colon
//! and Rotterdam agree with the rounded ones that stand beside the tables.

use super::{Claim, words};
use crate::survival_tables::{
    COLON, COMPETING, LARYNX, NCCTG, ROTTERDAM, colon, larynx, ncctg, periods, relapse_free, rotterdam, rows, table,
};
use std::sync::{Arc, OnceLock};
use twin_models::survival::{ClaretSurvival, SchindlerSurvival, TimeLaw, ZecchinSurvival};
use twin_trials::statistics::{
    AcceleratedRegression, CoxRegression, CumulativeIncidence, FollowUp, KaplanMeier, LogRankTest, Period, Ties, Weighting,
    fine_gray, score_predictions,
};

const SURVIVAL: &str = "R survival 3.5.3; rounded beside the tables (Loprinzi 1994, Moertel 1990, Royston 2013, Kardaun 1983)";
const CMPRSK: &str = "R cmprsk 2.2.11";
const FINEGRAY: &str = "R survival 3.5.3, finegray";

type Found = Result<Option<f64>, String>;

/// A fit that several claims share: made once, by the first that asks.
struct Shared<T> {
    once: OnceLock<Result<Option<T>, String>>,
    make: Box<dyn Fn() -> Result<Option<T>, String> + Send + Sync>,
}

impl<T> Shared<T> {
    fn new(make: impl Fn() -> Result<Option<T>, String> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { once: OnceLock::new(), make: Box::new(make) })
    }

    fn read(&self, number: impl Fn(&T) -> f64) -> Found {
        let made = self.once.get_or_init(|| (self.make)()).as_ref().map_err(Clone::clone)?;
        Ok(made.as_ref().map(number))
    }
}

/// A claim on data that may be absent, good to a relative 1e-6.
fn claim(id: String, what: String, source: &'static str, expected: f64, run: impl Fn() -> Found + Send + Sync + 'static) -> Claim {
    let tolerance = 1e-6 * expected.abs();
    Claim { id: format!("survival.{id}"), claim: what, source, expected, tolerance, quick: true, run: Box::new(run) }
}

/// NCCTG with each follow-up cut at 180 and 360 days and the effect of sex free in each part; a subject has up to three periods.
fn ncctg_split() -> Result<Option<Vec<Period>>, String> {
    let Some(whole) = ncctg()? else { return Ok(None) };
    let mut split = Vec::new();
    for (subject, period) in whole.iter().enumerate() {
        let (age, sex, ecog) = (period.covariates[0], period.covariates[1], period.covariates[2]);
        for (epoch, (from, until)) in [(0.0, 180.0), (180.0, 360.0), (360.0, f64::INFINITY)].into_iter().enumerate() {
            if period.follow_up.time > from {
                let last = period.follow_up.time <= until;
                let seen = FollowUp { time: period.follow_up.time.min(until), event: last && period.follow_up.event };
                let part = |which: usize| if epoch == which { sex } else { 0.0 };
                split.push(Period::new(seen, [age, sex, part(1), part(2), ecog]).from(from).of(subject));
            }
        }
    }
    Ok(Some(split))
}

type Data = fn() -> Result<Option<Vec<Period>>, String>;

/// Claims on one Cox regression: coefficients, standard errors, log-likelihood and concordance.
struct Cox {
    id: &'static str,
    regression: CoxRegression,
    names: &'static [&'static str],
    data: Data,
    estimates: &'static [f64],
    errors: &'static [f64],
    ln_likelihood: f64,
    concordance: f64,
}

impl Cox {
    fn claims(self, claims: &mut Vec<Claim>) {
        let Self { id, regression, names, data, .. } = self;
        let fit = Shared::new(move || data()?.map(|periods| regression.fit(names, &periods)).transpose().map_err(words));
        let coefficients = self.estimates.iter().zip(self.errors).zip(names).enumerate();
        for (place, ((&estimate, &error), name)) in coefficients {
            let shared = fit.clone();
            let run = move || shared.read(|fit| fit.coefficients[place].estimate);
            claims.push(claim(format!("{id}.{name}"), format!("log hazard ratio of {name}, {id}"), SURVIVAL, estimate, run));
            let shared = fit.clone();
            let run = move || shared.read(|fit| fit.coefficients[place].standard_error);
            claims.push(claim(format!("{id}.{name}_se"), format!("its standard error, {name}, {id}"), SURVIVAL, error, run));
        }
        let shared = fit.clone();
        let run = move || shared.read(|fit| fit.ln_likelihood);
        claims.push(claim(
            format!("{id}.ln_likelihood"),
            format!("log partial likelihood, {id}"),
            SURVIVAL,
            self.ln_likelihood,
            run,
        ));
        let run = move || fit.read(|fit| fit.concordance.index());
        claims.push(claim(format!("{id}.concordance"), format!("concordance, {id}"), SURVIVAL, self.concordance, run));
    }
}

fn cox(claims: &mut Vec<Claim>) {
    let efron = CoxRegression::default();
    let breslow = CoxRegression { ties: Ties::Breslow, robust: false };
    let robust = CoxRegression { ties: Ties::Efron, robust: true };
    let stratified: Data = || {
        let by_sex = |period: &Period| {
            Period::new(period.follow_up, [period.covariates[0], period.covariates[2]]).within(period.covariates[1] as usize)
        };
        Ok(ncctg()?.map(|periods| periods.iter().map(by_sex).collect()))
    };
    let weighted: Data = || {
        let weigh = |(index, period): (usize, Period)| period.weighing(1.0 + ((index + 1) % 3) as f64);
        Ok(ncctg()?.map(|periods| periods.into_iter().enumerate().map(weigh).collect()))
    };
    let ncctg_efron = &[0.011_066_764_560_1, -0.552_612_395_703_6, 0.463_728_475_370_4];
    let all = [
        Cox {
            id: "ncctg_cox_efron",
            regression: efron,
            names: NCCTG,
            data: ncctg,
            estimates: ncctg_efron,
            errors: &[0.009_267_411_013_7, 0.167_739_053_787_3, 0.113_577_266_162],
            ln_likelihood: -729.230_121_375,
            concordance: 0.637_135_493,
        },
        Cox {
            id: "ncctg_cox_breslow",
            regression: breslow,
            names: NCCTG,
            data: ncctg,
            estimates: &[0.011_041_136_349_5, -0.551_889_569_787_6, 0.462_947_040_590_2],
            errors: &[0.009_266_770_113_54, 0.167_742_448_021_02, 0.113_574_052_061_3],
            ln_likelihood: -729.488_705_177,
            concordance: 0.637_135_493,
        },
        Cox {
            id: "ncctg_cox_robust",
            regression: robust,
            names: NCCTG,
            data: ncctg,
            estimates: ncctg_efron,
            errors: &[0.009_881_392_780_09, 0.164_748_427_952_08, 0.124_158_848_613_18],
            ln_likelihood: -729.230_121_375,
            concordance: 0.637_135_493,
        },
        Cox {
            id: "ncctg_cox_robust_breslow",
            regression: CoxRegression { ties: Ties::Breslow, robust: true },
            names: NCCTG,
            data: ncctg,
            estimates: &[0.011_041_136_349_5, -0.551_889_569_787_6, 0.462_947_040_590_2],
            errors: &[0.009_861_406_193_35, 0.164_483_549_417_08, 0.123_963_452_778_61],
            ln_likelihood: -729.488_705_177,
            concordance: 0.637_135_493,
        },
        Cox {
            id: "ncctg_cox_stratified_by_sex",
            regression: efron,
            names: &["age", "ph.ecog"],
            data: stratified,
            estimates: &[0.010_566_254_600_9, 0.462_424_434_358_3],
            errors: &[0.009_241_373_893_09, 0.114_761_097_854_8],
            ln_likelihood: -628.770_939_501,
            concordance: 0.605_849_182_835,
        },
        Cox {
            id: "ncctg_cox_time_varying",
            regression: robust,
            names: &["age", "sex", "sex_180_360", "sex_360", "ph.ecog"],
            data: ncctg_split,
            estimates: &[0.010_551_817_202_9, -0.910_020_914_811_4, 0.471_187_818_869_6, 0.615_829_835_425_2, 0.463_194_013_805],
            errors: &[0.009_735_580_685_15, 0.301_215_838_744_37, 0.411_435_157_862_65, 0.416_890_294_858_93, 0.121_698_835_235_78],
            ln_likelihood: -728.044_227_659,
            concordance: 0.637_438_722_393,
        },
        Cox {
            id: "colon_cox",
            regression: efron,
            names: COLON,
            data: colon,
            estimates: &[
                -0.064_560_971_430_06,
                -0.375_975_907_088_45,
                -0.025_882_492_586_73,
                0.006_178_099_596_22,
                0.092_798_396_711_29,
                0.536_790_358_374_01,
                0.230_184_668_844_78,
                0.252_694_915_227_08,
            ],
            errors: &[
                0.111_916_798_784_92,
                0.121_180_090_902_23,
                0.095_944_432_185_13,
                0.004_072_198_307_28,
                0.009_130_243_056_48,
                0.113_864_760_731_25,
                0.116_893_379_609_93,
                0.105_160_591_178_06,
            ],
            ln_likelihood: -2_789.250_972_14,
            concordance: 0.664_912_570_498,
        },
        Cox {
            id: "rotterdam_cox",
            regression: efron,
            names: ROTTERDAM,
            data: relapse_free,
            estimates: &[
                0.040_744_371_797_85,
                0.053_960_881_058_74,
                0.275_815_186_708_53,
                0.482_584_450_088_37,
                0.309_710_855_356_04,
                -1.735_540_729_897_15,
                -0.026_614_436_444_95,
                0.003_363_819_700_17,
                -0.306_320_888_697_92,
            ],
            errors: &[
                0.032_482_141_910_4,
                0.085_523_694_464_1,
                0.055_264_089_265_9,
                0.083_613_812_072_2,
                0.060_417_525_088,
                0.092_598_893_761_4,
                0.013_681_981_095_7,
                0.015_149_527_87,
                0.078_917_552_85,
            ],
            ln_likelihood: -12_515.538_958_9,
            concordance: 0.677_381_348_965,
        },
        Cox {
            id: "larynx_cox",
            regression: efron,
            names: LARYNX,
            data: larynx,
            estimates: &[0.019_031_101_880_3, 0.140_040_153_760_3, 0.642_381_727_478_8, 1.705_979_609_913_1],
            errors: &[0.014_258_418_092_8, 0.462_486_098_061, 0.356_110_557_575_6, 0.421_913_330_721_8],
            ln_likelihood: -187.707_364_927,
            concordance: 0.681_882_270_004,
        },
    ];
    all.into_iter().for_each(|fit| fit.claims(claims));
    let run = move |place: usize, error: bool| -> Found {
        let fit = weighted()?.map(|periods| robust.fit(NCCTG, &periods)).transpose().map_err(words)?;
        Ok(fit.map(|fit| if error { fit.coefficients[place].standard_error } else { fit.coefficients[place].estimate }))
    };
    let numbers = [
        (0.012_785_913_866_6, 0.009_554_515_289_51),
        (-0.570_788_693_519_4, 0.175_046_249_875_62),
        (0.488_942_487_595_2, 0.132_446_278_277_41),
    ];
    for (place, (estimate, error)) in numbers.into_iter().enumerate() {
        let id = format!("ncctg_cox_weighted.{}", NCCTG[place]);
        claims
            .push(claim(id.clone(), "log hazard ratio, weights 1 to 3".to_owned(), SURVIVAL, estimate, move || run(place, false)));
        claims.push(claim(format!("{id}_se"), "its robust standard error".to_owned(), SURVIVAL, error, move || run(place, true)));
    }
    for (time, expected) in [(180.0, 0.804_994_341_999), (365.0, 0.533_743_834_172), (730.0, 0.211_739_513_182)] {
        let run = move || -> Found {
            let fit = ncctg()?.map(|periods| CoxRegression::default().fit(NCCTG, &periods)).transpose().map_err(words)?;
            fit.map(|fit| fit.survival(0, &[60.0, 2.0, 1.0], time)).transpose().map_err(words)
        };
        let what = format!("survival of a woman of 60 with ECOG 1 at {time} days");
        claims.push(claim(format!("ncctg_cox_survival_{time}"), what, SURVIVAL, expected, run));
    }
}

fn accelerated(claims: &mut Vec<Claim>) {
    type Case = (&'static str, TimeLaw, &'static [&'static str], Data, &'static [f64], f64);
    let cases: [Case; 7] = [
        (
            "ncctg_weibull",
            TimeLaw::Weibull,
            NCCTG,
            ncctg,
            &[6.273_435_251_998_69, -0.007_475_439_408_41, 0.401_090_541_173_62, -0.339_638_098_297_28, -0.313_192_730_296_61],
            -1_132.438_745_88,
        ),
        (
            "larynx_weibull",
            TimeLaw::Weibull,
            LARYNX,
            larynx,
            &[
                3.528_759_962_814,
                -0.017_463_670_721_5,
                -0.147_704_171_067_1,
                -0.586_558_447_005_2,
                -1.544_076_083_939_5,
                -0.122_344_805_651_9,
            ],
            -141.423_380_293,
        ),
        (
            "ncctg_log_normal",
            TimeLaw::LogNormal,
            NCCTG,
            ncctg,
            &[6.494_786_727_233_9, -0.019_181_868_101_9, 0.521_952_878_946_6, -0.355_566_670_502_5, 0.028_232_273_726_8],
            -1_146.881_831_09,
        ),
        (
            "larynx_log_normal",
            TimeLaw::LogNormal,
            LARYNX,
            larynx,
            &[
                3.383_182_517_669_2,
                -0.018_499_502_997_1,
                -0.198_938_330_918_8,
                -0.899_509_816_476_9,
                -1.857_360_293_942_8,
                0.234_113_318_626_4,
            ],
            -141.391_669_295,
        ),
        (
            "ncctg_log_logistic",
            TimeLaw::LogLogistic,
            NCCTG,
            ncctg,
            &[5.936_686_920_619_65, -0.008_079_919_430_43, 0.486_623_570_896_17, -0.404_615_511_573_62, -0.623_357_152_242_11],
            -1_137.489_612_27,
        ),
        (
            "larynx_log_logistic",
            TimeLaw::LogLogistic,
            LARYNX,
            larynx,
            &[
                3.102_173_629_655_5,
                -0.015_086_902_341_8,
                -0.125_715_508_109_6,
                -0.805_726_358_527_8,
                -1.766_147_519_441_4,
                -0.335_163_418_398,
            ],
            -141.589_008_874,
        ),
        (
            "rotterdam_log_normal",
            TimeLaw::LogNormal,
            ROTTERDAM,
            relapse_free,
            &[
                6.612_018_686_948_71,
                -0.016_818_534_330_34,
                -0.068_784_004_454_15,
                -0.311_595_588_430_24,
                -0.507_613_063_166_34,
                -0.343_420_049_724_35,
                1.886_728_628_315_1,
                0.055_061_170_755_81,
                -0.002_729_847_570_79,
                0.363_024_155_293_8,
                0.207_031_471_045_71,
            ],
            -15_352.803_937_3,
        ),
    ];
    for (id, law, names, data, estimates, ln_likelihood) in cases {
        let fit = move || data()?.map(|periods| AcceleratedRegression::new(law).fit(names, &periods)).transpose().map_err(words);
        let fit = Shared::new(fit);
        for (place, &estimate) in estimates.iter().enumerate() {
            let name = match place {
                0 => "intercept",
                _ => names.get(place - 1).copied().unwrap_or("ln_scale"),
            };
            let shared = fit.clone();
            let run = move || shared.read(|fit| fit.coefficients[place].estimate);
            claims.push(claim(format!("{id}.{name}"), format!("effect of {name} on ln time, {id}"), SURVIVAL, estimate, run));
        }
        let run = move || fit.read(|fit| fit.ln_likelihood);
        claims.push(claim(format!("{id}.ln_likelihood"), format!("log-likelihood, {id}"), SURVIVAL, ln_likelihood, run));
    }
    for (place, error) in
        [0.453_577_710_802_13, 0.006_763_507_667_41, 0.123_732_566_512_72, 0.083_478_415_028_55, 0.061_346_455_259_97]
            .into_iter()
            .enumerate()
    {
        let run = move || -> Found {
            let fit = ncctg()?.map(|periods| AcceleratedRegression::new(TimeLaw::Weibull).fit(NCCTG, &periods));
            Ok(fit.transpose().map_err(words)?.map(|fit| fit.coefficients[place].standard_error))
        };
        claims.push(claim(format!("ncctg_weibull.se_{place}"), "standard error, NCCTG Weibull".to_owned(), SURVIVAL, error, run));
    }
}

fn competing(claims: &mut Vec<Claim>) {
    let incidences: [(&str, usize, f64, f64, f64); 6] = [
        ("relapse", 0, 1000.0, 0.273_484_693_337_5, 6.697_924_665_01e-5),
        ("relapse", 0, 2000.0, 0.420_970_573_749_5, 8.340_581_941_28e-5),
        ("relapse", 0, 3650.0, 0.538_687_197_289_5, 1.033_904_001_11e-4),
        ("death", 1, 1000.0, 0.015_500_128_766_6, 5.144_165_220_51e-6),
        ("death", 1, 2000.0, 0.036_398_781_525_8, 1.206_307_392_44e-5),
        ("death", 1, 3650.0, 0.065_722_179_834_3, 2.593_315_057_08e-5),
    ];
    for (name, cause, time, incidence, variance) in incidences {
        let step = move || -> Result<Option<_>, String> {
            let Some((seen, _)) = rotterdam()? else { return Ok(None) };
            CumulativeIncidence::estimate(&seen, cause).and_then(|curve| curve.step_at(time)).map_err(words)
        };
        let id = format!("rotterdam_incidence_{name}_{time}");
        let what = format!("cumulative incidence of {name} at {time} days, Rotterdam");
        claims.push(claim(id.clone(), what, CMPRSK, incidence, move || Ok(step()?.map(|step| step.incidence))));
        let variance_of = move || Ok(step()?.map(|step| step.variance));
        claims.push(claim(format!("{id}_variance"), "its variance".to_owned(), CMPRSK, variance, variance_of));
    }
    let estimates =
        [-0.112_839_326_101, 0.283_700_682_217, 0.399_230_251_895, 0.372_851_247_101, -1.780_885_796_082, -0.239_492_952_309];
    let errors =
        [0.021_776_913_635, 0.058_059_172_496_7, 0.096_624_156_832_1, 0.062_785_968_128_7, 0.108_034_636_611_5, 0.086_876_654_492];
    let fit = Shared::new(|| {
        let Some((seen, columns)) = rotterdam()? else { return Ok(None) };
        let chosen: Vec<Vec<f64>> = [0, 2, 3, 4, 5, 8].map(|column: usize| columns[column].clone()).into();
        fine_gray(COMPETING, &seen, &rows(&chosen), 0).map(Some).map_err(words)
    });
    for (place, name) in COMPETING.iter().enumerate() {
        let what = format!("log subdistribution hazard ratio of {name} for relapse, Rotterdam");
        claims.push(claim(format!("rotterdam_fine_gray.{name}"), what, FINEGRAY, estimates[place], {
            let fit = fit.clone();
            move || fit.read(|fit| fit.coefficients[place].estimate)
        }));
        let what = format!("its robust standard error, {name}");
        claims.push(claim(format!("rotterdam_fine_gray.{name}_se"), what, FINEGRAY, errors[place], {
            let fit = fit.clone();
            move || fit.read(|fit| fit.coefficients[place].standard_error)
        }));
    }
}

fn restricted_means(claims: &mut Vec<Claim>) {
    let numbers = [(1.0, "men", 278.763_231_53, 14.354_558_566_7), (2.0, "women", 360.910_954_195, 16.801_018_116_8)];
    for (sex, name, mean, error) in numbers {
        // All 228 subjects: the whole table has one more man than the regressions use.
        let restricted = move || -> Result<Option<_>, String> {
            let Some(table) = table("cancer.csv")? else { return Ok(None) };
            let (times, status, sexes) = (table.numbers("time")?, table.words("status")?, table.numbers("sex")?);
            let own = |row: &usize| (sexes[*row] - sex).abs() < 0.5;
            let group: Vec<_> =
                (0..times.len()).filter(own).map(|row| FollowUp { time: times[row], event: status[row] == "2" }).collect();
            KaplanMeier::estimate(&group).and_then(|curve| curve.restricted_mean(500.0)).map(Some).map_err(words)
        };
        let what = format!("mean survival of {name} within 500 days, NCCTG");
        claims.push(claim(
            format!("ncctg_restricted_mean_{name}"),
            what,
            SURVIVAL,
            mean,
            move || Ok(restricted()?.map(|r| r.mean)),
        ));
        let error_of = move || Ok(restricted()?.map(|r| r.standard_error));
        claims.push(claim(format!("ncctg_restricted_mean_{name}_se"), "its standard error".to_owned(), SURVIVAL, error, error_of));
    }
}

/// NCCTG by sex, 1 and 2, within strata of the rows given.
fn by_sex(rows: &[Period], stratum: impl Fn(&Period) -> bool) -> [Vec<FollowUp>; 2] {
    [1.0, 2.0].map(|sex: f64| {
        let own = rows.iter().filter(|row| stratum(row) && (row.covariates[1] - sex).abs() < 0.5);
        own.map(|row| row.follow_up).collect()
    })
}

fn log_ranks(claims: &mut Vec<Claim>) {
    let run = || -> Found {
        let Some(rows) = ncctg()? else { return Ok(None) };
        let strata = [0.0, 1.0, 2.0].map(|ecog: f64| by_sex(&rows, |row| (row.covariates[2] - ecog).abs() < 0.5));
        let groups = strata.each_ref().map(|[men, women]| [men.as_slice(), women.as_slice()]);
        let test = LogRankTest::default().compare_within(&groups.each_ref().map(<[&[FollowUp]; 2]>::as_slice)).map_err(words)?;
        Ok(Some(test.statistic))
    };
    let what = "log-rank of sex within ECOG 0 to 2, NCCTG".to_owned();
    claims.push(claim("ncctg_log_rank_stratified".to_owned(), what, SURVIVAL, 10.795_059_633_5, run));
    let run = || -> Found {
        let Some(table) = table("cancer.csv")? else { return Ok(None) };
        let (times, sexes) = (table.numbers("time")?, table.numbers("sex")?);
        let events: Vec<bool> = table.words("status")?.iter().map(|status| *status == "2").collect();
        let [men, women] = by_sex(&periods(&times, &events, &[sexes.clone(), sexes])?, |_| true);
        let test = LogRankTest { weighting: Weighting::Survival { rho: 1.0, gamma: 0.0 } };
        test.compare(&[&men, &women]).map(|test| Some(test.statistic)).map_err(words)
    };
    let what = "log-rank of sex weighted by survival, NCCTG".to_owned();
    claims.push(claim("ncctg_log_rank_weighted".to_owned(), what, SURVIVAL, 12.714_151_401_2, run));
}

/// Scores of a prediction made for the purpose, (age + 10 ECOG) / 120.
fn predictions(claims: &mut Vec<Claim>) {
    // scikit-survival 0.28 takes the censoring at the time of a case, not just before it: it gives 0.62224, 0.28819, 0.60224, 0.23540.
    const SKSURV: &str = "sums over all pairs, NumPy; scikit-survival 0.28 to within 1e-4";
    for (time, area, brier) in [(200.0, 0.622_246_949_464, 0.288_171_058_172), (365.0, 0.602_204_925_126, 0.235_321_108_317)] {
        let score = move || -> Result<Option<_>, String> {
            let Some(rows) = ncctg()? else { return Ok(None) };
            let follow_ups: Vec<FollowUp> = rows.iter().map(|row| row.follow_up).collect();
            let risks: Vec<f64> = rows.iter().map(|row| (row.covariates[0] + 10.0 * row.covariates[2]) / 120.0).collect();
            score_predictions(&follow_ups, &risks, time).map(Some).map_err(words)
        };
        let what = format!("area under the curve at {time} days, NCCTG");
        let area_of = move || Ok(score()?.map(|score| score.area_under_curve));
        claims.push(claim(format!("ncctg_auc_{time}"), what, SKSURV, area, area_of));
        let what = format!("Brier score at {time} days, NCCTG");
        let brier_of = move || Ok(score()?.map(|score| score.brier));
        claims.push(claim(format!("ncctg_brier_{time}"), what, SKSURV, brier, brier_of));
    }
}

fn outcomes(claims: &mut Vec<Claim>) {
    const CLARET: &str = "Claret 2014, MONET1; typical patient, computed from the published coefficients";
    const ZECCHIN: &str = "Zecchin 2016; computed from the published coefficients";
    const SCHINDLER: &str = "Schindler 2016; computed from the published coefficients";
    claims.push(Claim::quick(
        "survival.claret2014_median",
        "median survival in days, non-Asian smoker",
        CLARET,
        (363.25, 0.01),
        || {
            let typical = ClaretSurvival { baseline_mm: 90.0, time_to_growth_days: 117.331, asian: false, ever_smoker: true };
            typical.lifetime().map(|law| law.median()).map_err(words)
        },
    ));
    claims.push(Claim::quick(
        "survival.zecchin2016_median",
        "median survival in days, sum of diameters 70 mm",
        ZECCHIN,
        (634.49, 0.01),
        || {
            let patient = ZecchinSurvival { baseline_mm: 70.0, change_week_12: 0.0, new_lesion: false, ecog: 0.0 };
            patient.lifetime().map(|law| law.median()).map_err(words)
        },
    ));
    claims.push(Claim::quick(
        "survival.schindler2016_median",
        "median survival in weeks, uptake unchanged",
        SCHINDLER,
        (36.42, 0.005),
        || SchindlerSurvival { uptake_change_week_1: 0.0 }.lifetime().map(|law| law.median() / 7.0).map_err(words),
    ));
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    cox(&mut claims);
    accelerated(&mut claims);
    competing(&mut claims);
    restricted_means(&mut claims);
    log_ranks(&mut claims);
    predictions(&mut claims);
    outcomes(&mut claims);
    claims
}
