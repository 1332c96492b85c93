//! Stiff reference problems: the Rosenbrock method against the digits of the test set of initial value problems.

use super::{Claim, Ours, words};
use twin_models::stiff::Rosenbrock;

const TEST_SET: &str = "Test Set for IVP Solvers (Bari, CWI)";

/// The largest relative error of the components of `reference` that are there, after the whole span at a relative tolerance of 1e-8.
fn error<const N: usize>(
    rates: fn(f64, &[f64; N], &mut [f64; N]),
    (end, absolute): (f64, f64),
    mut x: [f64; N],
    reference: [f64; N],
) -> Ours {
    Rosenbrock::new(1e-8, absolute).map_err(words)?.integrate(rates, (0.0, end), &mut x).map_err(words)?;
    Ok(x.iter().zip(reference).map(|(ours, exact)| (ours / exact - 1.0).abs()).fold(0.0, f64::max))
}

fn robertson(_t: f64, x: &[f64; 3], dx: &mut [f64; 3]) {
    let (slow, back, fast) = (0.04 * x[0], 1e4 * x[1] * x[2], 3e7 * x[1] * x[1]);
    *dx = [back - slow, slow - back - fast, fast];
}

fn van_der_pol(_t: f64, x: &[f64; 2], dx: &mut [f64; 2]) {
    *dx = [x[1], ((1.0 - x[0] * x[0]) * x[1] - x[0]) / 1e-6];
}

fn oregonator(_t: f64, x: &[f64; 3], dx: &mut [f64; 3]) {
    *dx = [77.27 * (x[1] + x[0] * (1.0 - 8.375e-6 * x[0] - x[1])), (x[2] - (1.0 + x[0]) * x[1]) / 77.27, 0.161 * (x[0] - x[2])];
}

fn hires(_t: f64, x: &[f64; 8], dx: &mut [f64; 8]) {
    let bound = 280.0 * x[5] * x[7];
    *dx = [
        -1.71 * x[0] + 0.43 * x[1] + 8.32 * x[2] + 0.0007,
        1.71 * x[0] - 8.75 * x[1],
        -10.03 * x[2] + 0.43 * x[3] + 0.035 * x[4],
        8.32 * x[1] + 1.71 * x[2] - 1.12 * x[3],
        -1.745 * x[4] + 0.43 * (x[5] + x[6]),
        -bound + 0.69 * x[3] + 1.71 * x[4] - 0.43 * x[5] + 0.69 * x[6],
        bound - 1.81 * x[6],
        1.81 * x[6] - bound,
    ];
}

pub(super) fn claims() -> Vec<Claim> {
    let row = |id: &str, claim: &str, gate: f64, run: fn() -> Ours| {
        let claim = format!("{claim}: largest relative error at a tolerance of 1e-8");
        Claim::quick(format!("ivp.{id}"), claim, TEST_SET, (0.0, gate), run)
    };
    vec![
        row("robertson", "Robertson until 1e11", 1e-5, || {
            let reference = [2.083_340_149_701_255e-8, 8.333_360_770_334_713e-14, 0.999_999_979_166_505];
            error(robertson, (1e11, 1e-20), [1.0, 0.0, 0.0], reference)
        }),
        row("van_der_pol", "van der Pol, 1e-6", 1e-5, || {
            error(van_der_pol, (2.0, 1e-8), [2.0, 0.0], [1.706_167_732_170_483, -0.892_809_701_024_797_5])
        }),
        row("oregonator", "Oregonator until 360", 1e-5, || {
            let reference = [1.000_814_870_318_523, 1_228.178_521_549_917, 132.055_494_284_670_6];
            error(oregonator, (360.0, 1e-8), [1.0, 2.0, 3.0], reference)
        }),
        row("hires", "HIRES until 321.8122", 1e-5, || {
            let reference = [
                7.371_312_573_325_668e-4,
                1.442_485_726_316_185e-4,
                5.888_729_740_967_575e-5,
                1.175_651_343_283_149e-3,
                2.386_356_198_831_331e-3,
                6.238_968_252_742_796e-3,
                2.849_998_395_185_769e-3,
                2.850_001_604_814_231e-3,
            ];
            error(hires, (321.8122, 1e-12), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057], reference)
        }),
    ]
}
