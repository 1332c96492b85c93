//! The coefficients of the pair of Tsitouras 2011 (doi:10.1016/j.camwa.2011.06.002), and the sums that they weigh.

// The coefficients keep the names and the layout of the tableau.
#![allow(clippy::unreadable_literal)]

use crate::Real;

pub(super) const C: [f64; 4] = [0.161, 0.327, 0.9, 0.9800255409045097];
pub(super) const A2: [f64; 1] = [0.161];
pub(super) const A3: [f64; 2] = [-0.008480655492356989, 0.335480655492357];
pub(super) const A4: [f64; 3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815];
pub(super) const A5: [f64; 4] = [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525];
pub(super) const A6: [f64; 5] =
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383];
pub(super) const A7: [f64; 6] =
    [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774];
/// The difference between the solutions of order 5 and 4.
pub(super) const E: [f64; 7] = [
    -0.001780011052225777,
    -0.0008164344596567469,
    0.007880878010261995,
    -0.1447110071732629,
    0.5823571654525552,
    -0.45808210592918697,
    1.0 / 66.0,
];
/// The dense output: stage `j` weighs `D[0][j] s^2 + D[1][j] s^3 + D[2][j] s^4`, the first one `s` more, at the share `s` of the step.
pub(super) const D: [[f64; 7]; 3] = [
    [-2.763706197274826, 0.13169999999999998, 3.9302962368947516, -12.411077166933676, 37.50931341651104, -27.896526289197286, 1.5],
    [2.9132554618219126, -0.2234, -5.941033872131505, 30.33818863028232, -88.1789048947664, 65.09189467479366, -4.0],
    [-1.0530884977290216, 0.1017, 2.490627285651253, -16.548102889244902, 47.37952196281928, -34.87065786149661, 2.5],
];

/// `y = x + h * sum of a[j] * k[j]`.
#[inline(always)]
pub(super) fn combine<T: Real, S: AsRef<[T]> + AsMut<[T]>, const N: usize>(y: &mut S, x: &S, h: f64, a: [f64; N], k: [&mut S; N]) {
    let a = a.map(|weight| h * weight);
    for i in 0..x.as_ref().len() {
        let mut sum = x.as_ref()[i];
        if N > 1 {
            let mut older = k[0].as_ref()[i] * a[0];
            for j in 1..N - 1 {
                older += k[j].as_ref()[i] * a[j];
            }
            sum += older;
        }
        y.as_mut()[i] = sum + k[N - 1].as_ref()[i] * a[N - 1];
    }
}

/// The weighted sum of the stages at place `i`.
#[inline(always)]
pub(super) fn weigh<T: Real, S: AsRef<[T]>>(weights: &[f64; 7], k: [&S; 7], i: usize) -> T {
    let mut sum = k[0].as_ref()[i] * weights[0];
    for j in 1..7 {
        sum += k[j].as_ref()[i] * weights[j];
    }
    sum
}

/// The value of [`weigh`], without derivatives.
#[inline(always)]
pub(super) fn weigh_values<T: Real, S: AsRef<[T]>>(weights: &[f64; 7], k: [&S; 7], i: usize) -> f64 {
    let mut sum = k[0].as_ref()[i].value() * weights[0];
    for j in 1..7 {
        sum += k[j].as_ref()[i].value() * weights[j];
    }
    sum
}
