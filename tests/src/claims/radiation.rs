//! Radiobiology: fractionation, repair, repopulation, oxygen, control.

use super::{Claim, Ours, digits, words};
use twin_core::{AbsorbedDose, Observable, Proportion, Random, Span, Target, Time, TimedTreatment, Treatment};
use twin_models::radiation::{
    AlphaBetaRatio, DoseResponse, LinearQuadratic, LinearQuadraticLinear, RADIOSENSITIVITY_SETS, RepairHalfTime, Repopulation,
    Tissue, continuous_dose, decaying_source_dose, lea_catcheside, oxygen_enhancement, poisson_control, proliferation_saturation,
    thames,
};
use twin_models::{Model, Scenario, simulate};

const FORMULA: &str = "closed form of the linear-quadratic model";
const REPOPULATION: &str = "BED less ln 2/alpha (T - Tk)/Tp";
const REPAIR: &str = "closed forms of Lea and Catcheside, and of Thames";
const DALE: &str = "Dale 1985, closed form (recalled), against the double sum over pairs";
const JEONG: &str = "Jeong 2017: alpha/beta 2.80 Gy, oxygen enhancement 1.70; figure computed from them";
const OXYGEN: &str = "(3 p + 3)/(p + 3), after Wouters and Brown 1997 (form recalled)";
const PROKOPIOU: &str = "Prokopiou 2015 Radiat Oncol, figure 1: parameters; course computed from them";

fn gray(dose: f64) -> Result<AbsorbedDose, String> {
    AbsorbedDose::from_gray(dose).map_err(words)
}

fn hours(hours: f64) -> Result<Span, String> {
    Span::from_hours(hours).map_err(words)
}

/// Days from a Monday of `count` sessions on weekdays.
fn weekdays(count: u32) -> impl Iterator<Item = f64> {
    (0..count).map(|session| f64::from(session / 5 * 7 + session % 5))
}

fn fractions(days: impl Iterator<Item = f64>, dose: f64) -> Result<Vec<TimedTreatment>, String> {
    let (dose, target) = (gray(dose)?, Target::new("tumor").map_err(words)?);
    let one = |day: f64| Ok(TimedTreatment::new(Time::from_days(day).map_err(words)?, Treatment::fraction(dose, target.clone())));
    days.map(one).collect()
}

/// The biologically effective dose of fractions on `days`, with repopulation by (alpha, doubling time, kick-off).
fn bed_after(days: impl Iterator<Item = f64>, dose: f64, (alpha, doubling, kick_off): (f64, f64, f64)) -> Ours {
    let day = |days: f64| Span::from_days(days).map_err(words);
    let repopulation = Repopulation::new(alpha, day(doubling)?, day(kick_off)?).map_err(words)?;
    let tissue = Tissue::new(AlphaBetaRatio::from_gray(10.0).map_err(words)?).repopulating(repopulation);
    let found = tissue.biological_dose(&fractions(days, dose)?, &Target::new("tumor").map_err(words)?);
    found.map(|dose| dose.bed_gray).map_err(words)
}

fn fractionation(claims: &mut Vec<Claim>) {
    let rows = [
        (30, 2.0, 10.0, (72.0, 1e-9), (60.0, 1e-9)),
        (30, 2.0, 3.0, (100.0, 1e-9), (60.0, 1e-9)),
        (35, 2.0, 10.0, (84.0, 1e-9), (70.0, 1e-9)),
        (3, 18.0, 10.0, (151.2, 1e-9), (126.0, 1e-9)),
        (5, 10.0, 10.0, (100.0, 1e-9), (83.33, 0.01)),
        (4, 12.0, 10.0, (105.6, 1e-9), (88.0, 1e-9)),
        (1, 34.0, 10.0, (149.6, 1e-9), (124.67, 0.01)),
        (15, 2.67, 3.0, (75.695, 1e-3), (45.417, 1e-3)),
        (5, 5.2, 3.5, (64.629, 1e-3), (41.127, 1e-3)),
        (20, 3.0, 1.5, (180.0, 1e-9), (77.143, 1e-3)),
        (5, 7.25, 1.5, (211.458, 1e-3), (90.625, 1e-9)),
        (68, 1.2, 10.0, (91.392, 1e-9), (76.16, 1e-9)),
    ];
    for (n, d, ratio, bed, eqd2) in rows {
        let name = format!("{n}x{d}_ab{ratio}").replace('.', "p");
        let of = move || AlphaBetaRatio::from_gray(ratio).map_err(words);
        let claim = format!("BED of {n} x {d} Gy at alpha/beta {ratio} Gy");
        claims.push(digits(format!("radiation.bed_{name}"), claim, FORMULA, bed, move || {
            Ok(of()?.biologically_effective_dose_gray(n, gray(d)?))
        }));
        let claim = format!("EQD2 of {n} x {d} Gy at alpha/beta {ratio} Gy");
        claims.push(digits(format!("radiation.eqd2_{name}"), claim, FORMULA, eqd2, move || {
            Ok(of()?.equivalent_dose_in_2_gray_fractions(n, gray(d)?))
        }));
    }
}

fn repopulation(claims: &mut Vec<Claim>) {
    for (name, alpha, kick_off, bed, loss) in [("tk28", 0.35, 28.0, 72.117, 0.660), ("tk21", 0.3, 21.0, 64.746, 0.770)] {
        // The exact value is 72.11748; the catalog's 72.118 rounds it otherwise.
        let claim = format!("BED10 of 35 x 2 Gy on weekdays, alpha {alpha}, doubling 3 d, kick-off {kick_off} d");
        claims.push(digits(format!("radiation.repopulation_{name}"), claim, REPOPULATION, (bed, 1e-3), move || {
            bed_after(weekdays(35), 2.0, (alpha, 3.0, kick_off))
        }));
        let claim = "dose lost per day to repopulation, Gy";
        claims.push(digits(format!("radiation.daily_loss_{name}"), claim, REPOPULATION, (loss, 1e-3), move || {
            let (doubling, kick_off) = (Span::from_days(3.0).map_err(words)?, Span::from_days(kick_off).map_err(words)?);
            Ok(Repopulation::new(alpha, doubling, kick_off).map_err(words)?.daily_loss_gray())
        }));
    }
    let claim = "BED10 of CHART, 36 x 1.5 Gy three times a day in 12 days: no loss";
    claims.push(digits("radiation.chart_bed10", claim, REPOPULATION, (62.1, 1e-9), || {
        bed_after((0..36).map(|session| f64::from(session / 3) + f64::from(session % 3) / 4.0), 1.5, (0.35, 3.0, 28.0))
    }));
}

fn repair(claims: &mut Vec<Claim>) {
    for (half_time, duration, factor) in
        [(1.5, 1.0, 0.862_236), (1.5, 0.25, 0.962_579), (1.5, 24.0, 0.164_076), (3.0, 72.0, 0.112_998)]
    {
        let id = format!("radiation.lea_catcheside_half_{half_time}h_over_{duration}h")
            .replace("0.25", "quarter_")
            .replace("1.5", "1p5");
        let claim = format!("Lea-Catcheside factor, half-time {half_time} h, delivery over {duration} h");
        claims.push(digits(id, claim, REPAIR, (factor, 1e-6), move || {
            lea_catcheside(RepairHalfTime::from_hours(half_time).map_err(words)?, hours(duration)?).map_err(words)
        }));
    }
    for (half_time, sessions, factor) in [(1.5, 2, 0.0625), (1.5, 3, 0.085_938), (4.0, 2, 0.353_553), (4.0, 3, 0.554_738)] {
        let id = format!("radiation.thames_h{sessions}_half_{half_time}h").replace("1.5", "1p5");
        let claim = format!("Thames factor of {sessions} sessions 6 h apart, half-time {half_time} h");
        claims.push(digits(id, claim, REPAIR, (factor, 1e-6), move || {
            thames(RepairHalfTime::from_hours(half_time).map_err(words)?, sessions, hours(6.0)?).map_err(words)
        }));
    }
    claims.push(digits("radiation.chart_late_complete", "CHART, BED3 with complete repair", REPAIR, (81.0, 1e-9), || {
        Ok(AlphaBetaRatio::from_gray(3.0).map_err(words)?.biologically_effective_dose_gray(36, gray(1.5)?))
    }));
    claims.push(digits("radiation.chart_late_half_4h", "CHART, BED3 with a half-time of 4 h", REPAIR, (95.978, 1e-3), || {
        let factor = thames(RepairHalfTime::from_hours(4.0).map_err(words)?, 3, hours(6.0)?).map_err(words)?;
        // Damage shared between sessions makes beta larger by 1 + h: so does a smaller ratio.
        let ratio = AlphaBetaRatio::from_gray(3.0 / (1.0 + factor)).map_err(words)?;
        Ok(ratio.biologically_effective_dose_gray(36, gray(1.5)?))
    }));
    // The same by days: within a day the pairs share, overnight nothing is left.
    claims.push(digits("radiation.chart_late_by_days", "CHART, BED3 of a day, twelve times", REPAIR, (95.978, 1e-3), || {
        let tissue =
            Tissue::new(AlphaBetaRatio::from_gray(3.0).map_err(words)?).repairing(RepairHalfTime::from_hours(4.0).map_err(words)?);
        let day = fractions([0.0, 0.25, 0.5].into_iter(), 1.5)?;
        let found = tissue.biological_dose(&day, &Target::new("tumor").map_err(words)?).map_err(words)?;
        Ok(12.0 * found.bed_gray)
    }));
}

fn high_doses_and_oxygen(claims: &mut Vec<Claim>) {
    for (dose, linear, quadratic) in [(2.0, 0.72, 0.72), (6.0, 2.88, 2.88), (10.0, 5.5668, 6.0), (20.0, 12.2868, 18.0)] {
        let model = || LinearQuadratic::new(0.3, 0.03).map_err(words);
        let claim = format!("LQ-L effect of {dose} Gy, transition at 6.2 Gy");
        claims.push(digits(format!("radiation.lql_effect_{dose}gy"), claim, FORMULA, (linear, 1e-9), move || {
            Ok(LinearQuadraticLinear::new(model()?, gray(6.2)?).effect(gray(dose)?))
        }));
        claims.push(digits(
            format!("radiation.lq_effect_{dose}gy"),
            format!("LQ effect of {dose} Gy"),
            FORMULA,
            (quadratic, 1e-9),
            move || Ok(model()?.effect(gray(dose)?)),
        ));
    }
    for (pressure, ratio, digit) in [(0.0, 1.0, 1e-9), (1.0, 1.5, 1e-9), (3.0, 2.0, 1e-9), (10.0, 2.538, 1e-3), (60.0, 2.905, 1e-3)]
    {
        let claim = format!("oxygen enhancement ratio at {pressure} mmHg");
        claims.push(digits(format!("radiation.oer_{pressure}mmhg"), claim, OXYGEN, (ratio, digit), move || {
            oxygen_enhancement(pressure).map_err(words)
        }));
    }
}

fn control(claims: &mut Vec<Claim>) {
    let survival = |n: u32| Ok::<_, String>(LinearQuadratic::new(0.3, 0.03).map_err(words)?.survival(n, gray(2.0)?));
    let claim = "share that survives 30 x 2 Gy, alpha 0.3, beta 0.03";
    claims.push(digits("radiation.survival_30x2", claim, FORMULA, (4.1614e-10, 1e-14), move || survival(30)));
    for (n, clonogens, expected) in [(30, 1e7, 0.995_847), (35, 1e9, 0.988_694)] {
        let claim = format!("Poisson control of {clonogens:e} clonogens by {n} x 2 Gy");
        claims.push(digits(format!("radiation.control_{n}x2"), claim, FORMULA, (expected, 1e-6), move || {
            poisson_control(clonogens, Proportion::new(survival(n)?).map_err(words)?).map_err(words)
        }));
    }
    let response = || DoseResponse::new(60.0, 2.0).map_err(words);
    let claim = "logistic control at 66 Gy, D50 60 Gy, gamma50 2";
    claims.push(digits("radiation.control_logistic", claim, FORMULA, (0.681_892, 1e-6), move || {
        response()?.logistic(66.0).map_err(words)
    }));
    let claim = "probit control at 66 Gy, D50 60 Gy, gamma50 2";
    claims.push(digits("radiation.control_probit", claim, FORMULA, (0.691_929, 1e-6), move || {
        response()?.probit(66.0).map_err(words)
    }));
    let claim = "share that survives 30 x 2 Gy, alpha 0.025 per Gy, alpha/beta 10 Gy (glioma)";
    claims.push(digits("radiation.survival_glioma", claim, FORMULA, (0.165, 1e-3), || {
        let ratio = AlphaBetaRatio::from_gray(10.0).map_err(words)?;
        Ok(LinearQuadratic::with_ratio(0.025, ratio).map_err(words)?.survival(30, gray(2.0)?))
    }));
}

/// The volume relative to the start right after fraction number `count`, without growth after it.
fn saturated(index: f64, count: u32) -> Ours {
    let model = proliferation_saturation();
    let parameters = model.spec().defaults().and_then(|p| p.with("saturation_index", index)?.with("initial_volume", 1e4));
    let treatments = fractions(weekdays(count), 2.0)?;
    let last = treatments.last().map_or(Time::ORIGIN, |timed| timed.time);
    // One looks before one treats, so one looks a moment later.
    let after = last + Span::from_days(1e-9).map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(treatments).sampled([after]);
    let trajectory = simulate(&model, &parameters.map_err(words)?, &scenario, &mut Random::new(0)).map_err(words)?;
    let volumes = trajectory.column(&Observable::TUMOR_VOLUME).unwrap_or_default();
    volumes.first().map(|volume| volume / 1e4).ok_or_else(|| "no volume".to_owned())
}

fn saturation(claims: &mut Vec<Claim>) {
    let rows = [(0.6, 0.651_83, 0.037_35), (0.7, 0.725_86, 0.058_50), (0.8, 0.808_42, 0.107_23)];
    for (index, after_5, after_30) in rows {
        for (count, expected) in [(5, after_5), (30, after_30)] {
            let id = format!("radiation.psi_{index}_after_{count}").replace("0.", "0p");
            let claim = format!("V/V0 after fraction {count} of 2 Gy, proliferation saturation {index}");
            claims.push(digits(id, claim, PROKOPIOU, (expected, 1e-5), move || saturated(index, count)));
        }
    }
}

/// Sources: a constant rate against Lea and Catcheside written out, a decaying one against the sum over its hours.
fn dose_rate(claims: &mut Vec<Claim>) {
    let late = || AlphaBetaRatio::from_gray(3.0).map_err(words);
    let repair = || RepairHalfTime::from_hours(1.5).map_err(words);
    // 60 Gy at 0.5 Gy/h: mu = ln2/1.5, x = 120 mu, 60 (1 + 2 0.5/(3 mu) (1 - (1 - exp(-x))/x)).
    let mu = std::f64::consts::LN_2 / 1.5;
    let x = 120.0 * mu;
    let expected = 60.0 * (1.0 + 1.0 / (3.0 * mu) * (1.0 - (1.0 - (-x).exp()) / x));
    let claim = "BED3 of 60 Gy at 0.5 Gy/h, half-time 1.5 h";
    claims.push(digits("radiation.low_dose_rate", claim, DALE, (expected, 1e-9), move || {
        continuous_dose(late()?, repair()?, 0.5, hours(120.0)?).map_err(words)
    }));
    let claim = "BED3 of a permanent source of iodine-125 (59.4 d) at 0.07 Gy/h, against pulses of ten minutes over ten half-lives";
    let mut row = Claim::quick("radiation.permanent_source", claim, DALE, (1.0, 5e-3), move || {
        let closed = decaying_source_dose(late()?, repair()?, 0.07, Span::from_days(59.4).map_err(words)?).map_err(words)?;
        let (pulse, target) = (1.0 / 6.0, Target::new("tumor").map_err(words)?);
        let decay = std::f64::consts::LN_2 / (59.4 * 24.0);
        let one = |n: u32| {
            let at = pulse * (f64::from(n) + 0.5);
            let dose = gray(0.07 * pulse * (-decay * at).exp())?;
            Ok(TimedTreatment::new(Time::from_days(at / 24.0).map_err(words)?, Treatment::fraction(dose, target.clone())))
        };
        let course: Result<Vec<_>, String> = (0..85_536).map(one).collect();
        let found = Tissue::new(late()?).repairing(repair()?).biological_dose(&course?, &target).map_err(words)?;
        Ok(found.bed_gray / closed)
    });
    row.quick = false;
    claims.push(row);
    let lung = || RADIOSENSITIVITY_SETS.first().ok_or_else(|| "no set".to_owned());
    let claim = "early-stage lung cancer: effect of 3 x 18 Gy in oxygenated over that in hypoxic cells";
    // (18 + 18^2/2.8) / (18/1.7 + (18/1.7)^2/2.8).
    let expected = (18.0 + 18.0 * 18.0 / 2.8) / (18.0 / 1.7 + (18.0 / 1.7_f64).powi(2) / 2.8);
    claims.push(digits("radiation.lung_hypoxia", claim, JEONG, (expected, 1e-9), move || {
        let (model, hypoxic) = (lung()?.model().map_err(words)?, lung()?.hypoxic().map_err(words)?.ok_or("no hypoxic cells")?);
        Ok(model.effect(gray(18.0)?) / hypoxic.effect(gray(18.0)?))
    }));
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    fractionation(&mut claims);
    repopulation(&mut claims);
    repair(&mut claims);
    high_doses_and_oxygen(&mut claims);
    control(&mut claims);
    saturation(&mut claims);
    dose_rate(&mut claims);
    claims
}
