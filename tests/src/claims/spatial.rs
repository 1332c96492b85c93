//! The spatial engine against exact solutions.

use super::{Claim, Ours, words};
use crate::spatial;
use twin_models::spatial::Method;

const SECOND_ORDER: &str = "order of the scheme, against an exact solution";
/// A course with a known solution: its name, what it is, and its errors at refinements.
type Course = (&'static str, &'static str, fn() -> spatial::Errors);

const MODES: [Course; 6] = [
    ("uniform", "a cosine in a box", || spatial::uniform(4, Method::RungeKuttaLegendre)),
    ("uniform_reference", "a cosine in a box, by the reference method", || spatial::uniform(4, Method::RungeKutta)),
    ("tissues", "two layers whose diffusivities differ fivefold", || spatial::tissues(4)),
    ("notched_region", "a mode of a region with a notch, a cavity and inner corners", || spatial::notched(3)),
    ("fisher_wave", "the exact wave of Fisher's equation", || Ok(spatial::fisher(4)?.0)),
    ("in_time", "logistic growth in two tissues, steps alone", || spatial::in_time(4)),
];

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, what, errors) in MODES {
        let run = move || -> Ours { Ok(spatial::order(&errors().map_err(words)?)) };
        claims.push(Claim::quick(
            format!("spatial.order_{name}"),
            format!("order of convergence, {what}"),
            SECOND_ORDER,
            (2.0, 0.15),
            run,
        ));
    }
    claims.push(Claim::quick(
        "spatial.fisher_wave_speed",
        "speed of the exact wave in units of the root of D times rho",
        "Ablowitz and Zeppetella 1979: 5 over the root of 6",
        (5.0 / 6.0_f64.sqrt(), 0.02),
        || Ok(spatial::fisher(3).map_err(words)?.1),
    ));
    // Bramson: a front that starts as a step lags by (3/2) √(D/ρ) ln t, so at finite times it is 4 to 6 % slower than 2 √(Dρ).
    let lagging =
        |from: f64, to: f64| 2.0 * (0.13_f64 * 0.012).sqrt() - 1.5 * (0.13_f64 / 0.012).sqrt() * (to / from).ln() / (to - from);
    for (number, (days, expected)) in
        [("1000_1500", lagging(1000.0, 1500.0)), ("1500_2000", lagging(1500.0, 2000.0))].into_iter().enumerate()
    {
        let run = move || -> Ours {
            let speeds = spatial::front_speeds(&[1000.0, 1500.0, 2000.0]).map_err(words)?;
            speeds.get(number).copied().ok_or_else(|| "no speed".to_owned())
        };
        claims.push(Claim::quick(
            format!("spatial.front_speed_{days}"),
            "mean speed of a front that starts as a step, mm/d (2 sqrt(D rho) is 0.0790)",
            "Bramson 1983, to leading order",
            (expected, 0.01 * expected),
            run,
        ));
    }
    claims
}
