//! Kinetics: half-times, exposures, doses; closed forms against the equations.

use super::{Claim, Ours, digits, words};
use twin_core::{
    Agent, Observable, Quantity, Random, Sex, Span, Time, TimedTreatment, Treatment, body_surface_area_du_bois,
    body_surface_area_mosteller, creatinine_clearance_cockcroft_gault,
};
use twin_models::composition::{Drug, NoTumor, TumorModel, UpTo};
use twin_models::kinetics::{
    Compartments, Disposition, Elimination, Kinetics, NivolumabCovariates, Profile, Route, RunningKinetics, calvert_dose, drugs,
    temozolomide_clearance,
};
use twin_models::{Model, Scenario, Source, simulate};

const OSTERMANN: &str = "Ostermann 2004: parameters; figure computed from them";
const JEN: &str = "Jen 2000, Pharm Res 17:1284: 445 patients";
const BAJAJ: &str = "Bajaj 2017: parameters; figure computed from them";
const CALVERT: &str = "Calvert 1989, formula";
const BODY: &str = "published formulas of body size and renal function";
const AGREEMENT: &str = "closed form against the ordinary differential equation, relative difference";

/// The greatest relative difference between `profile` and the integrated `drug` after a dose at once and one by infusion at 6 hours, or
/// two doses by mouth.
fn difference<const P: usize>(drug: Compartments<P>, profile: &Profile, oral: bool) -> Ours {
    let model = TumorModel::<_, _, UpTo<16>>::model("kinetics", NoTumor, Drug::new(drug, ())).map_err(words)?;
    let model = model.with_relative_tolerance(1e-12);
    let agent = Agent::new("drug").map_err(words)?;
    let dose = |mg: f64| Quantity::new(mg, "mg").map_err(words);
    let first = if oral { Treatment::oral(agent.clone(), dose(100.0)?) } else { Treatment::bolus(agent.clone(), dose(100.0)?) };
    let three_hours = Span::from_hours(3.0).map_err(words)?;
    let second = if oral { Treatment::oral(agent, dose(60.0)?) } else { Treatment::infusion(agent, dose(60.0)?, three_hours) };
    let at = |hours: f64| Time::from_days(hours / 24.0).map_err(words);
    let hours: Vec<f64> = (1..48).map(|half| 0.5 * f64::from(half)).collect();
    let scenario = Scenario::starting(Time::ORIGIN)
        .treated([TimedTreatment::new(Time::ORIGIN, first.map_err(words)?), TimedTreatment::new(at(6.0)?, second.map_err(words)?)])
        .sampled(hours.iter().map(|&hours| at(hours)).collect::<Result<Vec<_>, _>>()?);
    let parameters = model.spec().defaults().map_err(words)?;
    let trajectory = simulate(&model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    let seen = trajectory.column(&Observable::new("drug_concentration").map_err(words)?).ok_or("no concentration")?;
    let gap = |(&seen, &hours): (&f64, &f64)| (seen / profile.concentration(hours) - 1.0).abs();
    if seen.len() != hours.len() {
        return Err(format!("{} concentrations at {} times", seen.len(), hours.len()));
    }
    // A gap that is no number is the greatest.
    Ok(seen.iter().zip(&hours).map(gap).fold(0.0, |worst, gap| if gap.is_nan() || gap > worst { gap } else { worst }))
}

fn drug<const P: usize>(route: Route, values: &[(&str, f64)]) -> Result<Compartments<P>, String> {
    let start = Compartments::new(Agent::new("drug").map_err(words)?, route, Elimination::Linear);
    let set = |drug: Compartments<P>, &(name, value): &(&str, f64)| drug.with(name, value, Source::assumed("a test"));
    values.iter().try_fold(start, set).map_err(words)
}

fn intravenous(disposition: Disposition) -> Result<Profile, String> {
    Profile::new(disposition).bolus(0.0, 100.0).and_then(|profile| profile.infusion(6.0, 3.0, 60.0)).map_err(words)
}

fn agreement(claims: &mut Vec<Claim>) {
    let mut row = |id: &str, what: &str, run: fn() -> Ours| {
        claims.push(Claim::quick(
            format!("kinetics.{id}"),
            format!("{what}: bolus, and infusion or oral doses"),
            AGREEMENT,
            (0.0, 1e-8),
            run,
        ));
    };
    row("agreement_one_compartment", "one compartment", || {
        let profile = intravenous(Disposition::one_compartment(5.0, 20.0).map_err(words)?)?;
        difference(drug::<0>(Route::Intravenous, &[("clearance", 5.0), ("volume", 20.0)])?, &profile, false)
    });
    row("agreement_two_compartments", "two compartments", || {
        let profile = intravenous(Disposition::two_compartments(5.0, 20.0, (3.0, 40.0)).map_err(words)?)?;
        let values = [("clearance", 5.0), ("volume", 20.0), ("exchange_1", 3.0), ("volume_1", 40.0)];
        difference(drug::<1>(Route::Intravenous, &values)?, &profile, false)
    });
    row("agreement_three_compartments", "three compartments", || {
        let profile = intravenous(Disposition::three_compartments(5.0, 20.0, (3.0, 40.0), (0.5, 100.0)).map_err(words)?)?;
        let values = [
            ("clearance", 5.0),
            ("volume", 20.0),
            ("exchange_1", 3.0),
            ("volume_1", 40.0),
            ("exchange_2", 0.5),
            ("volume_2", 100.0),
        ];
        difference(drug::<2>(Route::Intravenous, &values)?, &profile, false)
    });
    row("agreement_oral", "first-order absorption into two compartments", || {
        let disposition = Disposition::two_compartments(5.0, 20.0, (3.0, 40.0)).and_then(|two| two.absorbed(0.9)).map_err(words)?;
        let profile = Profile::new(disposition).bolus(0.0, 100.0).and_then(|p| p.bolus(6.0, 60.0)).map_err(words)?;
        let values = [("clearance", 5.0), ("volume", 20.0), ("exchange_1", 3.0), ("volume_1", 40.0), ("absorption_rate", 0.9)];
        difference(drug::<1>(Route::Oral { transits: 0 }, &values)?, &profile, true)
    });
    // Where the rate of absorption is that of elimination, or nearly so, a quotient of differences has no digits left.
    row("agreement_equal_rates", "absorption as fast as elimination", || {
        let disposition = Disposition::one_compartment(5.0, 20.0).and_then(|one| one.absorbed(0.25)).map_err(words)?;
        let profile = Profile::new(disposition).bolus(0.0, 100.0).and_then(|p| p.bolus(6.0, 60.0)).map_err(words)?;
        let values = [("clearance", 5.0), ("volume", 20.0), ("absorption_rate", 0.25)];
        difference(drug::<0>(Route::Oral { transits: 0 }, &values)?, &profile, true)
    });
    row("agreement_nearly_equal_rates", "absorption faster than elimination by a billionth", || {
        let rate = 0.25 * (1.0 + 1e-9);
        let disposition = Disposition::one_compartment(5.0, 20.0).and_then(|one| one.absorbed(rate)).map_err(words)?;
        let profile = Profile::new(disposition).bolus(0.0, 100.0).and_then(|p| p.bolus(6.0, 60.0)).map_err(words)?;
        let values = [("clearance", 5.0), ("volume", 20.0), ("absorption_rate", rate)];
        difference(drug::<0>(Route::Oral { transits: 0 }, &values)?, &profile, true)
    });
    row("agreement_transit", "four transit compartments and absorption", || {
        let disposition = Disposition::one_compartment(5.0, 20.0).and_then(|one| one.absorbed(0.9)).map_err(words)?;
        let profile = Profile::new(disposition).transit(0.0, (4, 2.0), 100.0).and_then(|p| p.transit(6.0, (4, 2.0), 60.0));
        let values = [("clearance", 5.0), ("volume", 20.0), ("absorption_rate", 0.9), ("transit_rate", 2.0)];
        difference(drug::<0>(Route::Oral { transits: 4 }, &values)?, &profile.map_err(words)?, true)
    });
}

/// The default of the parameter `name` of a drug as shipped.
fn shipped<const P: usize>(drug: &Compartments<P>, name: &str) -> Ours {
    let full = format!("{}_{name}", drug.name());
    let outline = drug.outline();
    let found = outline.parameters.iter().find(|spec| spec.name == full).map(|spec| spec.default);
    found.ok_or_else(|| format!("no `{full}`"))
}

fn temozolomide() -> Result<Disposition, String> {
    let drug = drugs::temozolomide().map_err(words)?;
    let of = |name: &str| shipped(&drug, name);
    let absorption = of("absorption_rate")?;
    Disposition::one_compartment(of("clearance")?, of("volume")?).and_then(|one| one.absorbed(absorption)).map_err(words)
}

/// The terminal half-life of nivolumab as shipped, in days, at its first or at its last clearance.
fn nivolumab_half_life(last: bool) -> Ours {
    let drug = drugs::nivolumab().map_err(words)?;
    let of = |name: &str| shipped(&drug, name);
    let change = if last { of("clearance_change")? } else { 0.0 };
    let between = (of("exchange_1")?, of("volume_1")?);
    let two = Disposition::two_compartments(of("clearance")? * change.exp(), of("volume")?, between).map_err(words)?;
    Ok(two.terminal_half_time_h() / 24.0)
}

fn published_drugs(claims: &mut Vec<Claim>) {
    claims.push(digits("kinetics.temozolomide_half_life", "half-life in h", OSTERMANN, (2.1002, 1e-4), || {
        Ok(temozolomide()?.terminal_half_time_h())
    }));
    claims.push(digits("kinetics.temozolomide_exposure", "AUC of 270 mg in mg h/L", OSTERMANN, (27.0, 1e-9), || {
        Ok(270.0 * temozolomide()?.area_per_dose())
    }));
    let claim = "exposure of cerebrospinal fluid over that of plasma (fluid of 0.14 L)";
    claims.push(digits("kinetics.temozolomide_cerebrospinal", claim, OSTERMANN, (0.20, 0.02), || {
        let fluid = drugs::temozolomide_in_cerebrospinal_fluid().map_err(words)?;
        Ok(fluid.area_per_dose() / temozolomide()?.area_per_dose())
    }));
    for (name, area, sex, expected) in [("male", 2.0, Sex::Male, 11.2), ("female", 1.7, Sex::Female, 8.8)] {
        let claim = format!("clearance of temozolomide, {name}, {area} m2: L/h");
        claims.push(digits(format!("kinetics.temozolomide_clearance_{name}"), claim, JEN, (expected, 1e-9), move || {
            temozolomide_clearance(&Quantity::new(area, "m2").map_err(words)?, sex).map_err(words)
        }));
    }
    claims.push(digits("kinetics.nivolumab_clearance_early", "clearance at the start in L/d", BAJAJ, (0.2256, 1e-4), || {
        let reference =
            NivolumabCovariates { weight_kg: 80.0, filtration_ml_per_min: 90.0, male: false, impaired: false, asian: false };
        reference.clearance_and_volume().map(|(clearance, _)| 24.0 * clearance).map_err(words)
    }));
    claims.push(digits(
        "kinetics.nivolumab_clearance_late",
        "clearance in the end in L/d, by the decline of the model",
        BAJAJ,
        (0.1680, 1e-4),
        || nivolumab_rate_of_loss(1e6).map(|(rate, volume)| rate * volume),
    ));
    claims.push(digits("kinetics.nivolumab_half_life_early", "terminal half-life at the start in d", BAJAJ, (20.86, 0.01), || {
        nivolumab_half_life(false)
    }));
    claims.push(digits("kinetics.nivolumab_half_life_late", "terminal half-life in the end in d", BAJAJ, (27.60, 0.01), || {
        nivolumab_half_life(true)
    }));
    let claim = "average concentration of 240 mg every two weeks in steady state, mg/L";
    claims.push(digits("kinetics.nivolumab_average", claim, BAJAJ, (102.06, 0.01), nivolumab_average));
    for (rate, exposure, dose) in [(90.0, 5.0, 575.0), (60.0, 5.0, 425.0), (125.0, 6.0, 900.0)] {
        let claim = format!("carboplatin in mg for an AUC of {exposure} at {rate} mL/min");
        claims.push(digits(format!("kinetics.calvert_{rate}_{exposure}"), claim, CALVERT, (dose, 1e-9), move || {
            let rate = Quantity::new(rate, "mL/min").map_err(words)?;
            calvert_dose(exposure, &rate).and_then(|dose| dose.value_in("mg")).map_err(words)
        }));
    }
}

/// The relative rate of loss of nivolumab from the central compartment per day at `day`, from the model itself: what an infusion that
/// holds the concentration would replace. And the volume of that compartment, in L.
fn nivolumab_rate_of_loss(day: f64) -> Result<(f64, f64), String> {
    let drug = drugs::nivolumab().map_err(words)?;
    let values: Vec<f64> = drug.outline().parameters.iter().map(|parameter| parameter.default).collect();
    let running = drug.bind(&values).ok_or("no parameters")?;
    // In equilibrium with the peripheral compartment, only elimination is left.
    let (volume, peripheral, mut rates) = (shipped(&drug, "volume")?, shipped(&drug, "volume_1")?, [0.0; 3]);
    running.rates(&[volume, peripheral, day], 0.0, &mut rates);
    Ok((-rates.first().copied().ok_or("no rate")? / volume, volume))
}

fn nivolumab_average() -> Ours {
    let model = TumorModel::<_, _, UpTo<8>>::model("nivolumab", NoTumor, Drug::new(drugs::nivolumab().map_err(words)?, ()));
    let model = model.map_err(words)?;
    let agent = Agent::new("nivolumab").map_err(words)?;
    // Clearance falls to its last value as a power of time, so steady state is waited for.
    let last = 40_000.0;
    let dose = Treatment::bolus(agent, Quantity::new(240.0, "mg").map_err(words)?).map_err(words)?;
    let at = |day: f64| Time::from_days(day).map_err(words);
    let every_two_weeks: Result<Vec<_>, String> =
        (0..2900).map(|n| Ok(TimedTreatment::new(at(14.0 * f64::from(n))?, dose.clone()))).collect();
    let start = (last / 14.0_f64).ceil() * 14.0;
    let points = 14_000;
    let days: Vec<f64> = (0..points).map(|n| start + 14.0 * (f64::from(n) + 0.5) / f64::from(points)).collect();
    let looks = days.into_iter().map(at).collect::<Result<Vec<_>, _>>()?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(every_two_weeks?).sampled(looks);
    let parameters = model.spec().defaults().map_err(words)?;
    let trajectory = simulate(&model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    let seen = trajectory.column(&Observable::new("nivolumab_concentration").map_err(words)?).ok_or("no concentration")?;
    Ok(seen.iter().sum::<f64>() / seen.len() as f64)
}

fn body(claims: &mut Vec<Claim>) {
    let of = |value: f64, unit: &str| Quantity::new(value, unit).map_err(words);
    claims.push(digits("kinetics.body_surface_mosteller", "170 cm, 70 kg: m2", BODY, (1.8181, 1e-4), move || {
        body_surface_area_mosteller(&of(170.0, "cm")?, &of(70.0, "kg")?).and_then(|area| area.value_in("m2")).map_err(words)
    }));
    claims.push(digits("kinetics.body_surface_du_bois", "170 cm, 70 kg: m2", BODY, (1.8097, 1e-4), move || {
        body_surface_area_du_bois(&of(170.0, "cm")?, &of(70.0, "kg")?).and_then(|area| area.value_in("m2")).map_err(words)
    }));
    claims.push(digits("kinetics.cockcroft_gault", "60 a, 70 kg, 1.0 mg/dL, male: mL/min", BODY, (77.78, 0.01), move || {
        creatinine_clearance_cockcroft_gault(&of(60.0, "a")?, &of(70.0, "kg")?, &of(1.0, "mg/dL")?, Sex::Male)
            .and_then(|clearance| clearance.value_in("mL/min"))
            .map_err(words)
    }));
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    agreement(&mut claims);
    published_drugs(&mut claims);
    body(&mut claims);
    claims
}
