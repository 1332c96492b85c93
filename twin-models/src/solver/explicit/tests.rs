//! Tests of the explicit pair.

use super::*;

fn tolerance(relative: f64) -> Tolerance<[f64; 2]> {
    Tolerance { relative, absolute: [1e-14; 2], low: [f64::NEG_INFINITY; 2], high: [f64::INFINITY; 2] }
}

fn oscillator(_: f64, x: &[f64; 2], dx: &mut [f64; 2]) {
    *dx = [x[1], -x[0]];
}

fn largest_errors(relative: f64) -> (f64, f64) {
    let tolerance = tolerance(relative);
    let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut oscillator, &tolerance);
    let (mut at_ends, mut between) = (0.0_f64, 0.0_f64);
    while solver.end() < 20.0 {
        assert_eq!(solver.step(&mut oscillator, &tolerance, 20.0), Ok(()));
        at_ends = at_ends.max((solver.last()[0] - solver.end().sin()).abs());
        for part in 0..=10 {
            let t = solver.start + (solver.end - solver.start) * f64::from(part) / 10.0;
            let mut x = [0.0; 2];
            solver.interpolate(t, &mut x);
            between = between.max((x[0] - t.sin()).abs());
        }
    }
    assert_eq!(solver.end(), 20.0);
    (at_ends, between)
}

#[test]
fn the_error_follows_the_tolerance() {
    for relative in [1e-4, 1e-6, 1e-8, 1e-10] {
        let (at_ends, between) = largest_errors(relative);
        assert!(at_ends < 20.0 * relative, "{at_ends} at {relative}");
        assert!(between < 100.0 * relative, "{between} at {relative}");
    }
}

#[test]
fn fixed_steps_converge_at_order_five_and_dense_output_at_order_four() {
    let loose = Tolerance { relative: 1e9, ..tolerance(1.0) };
    let error = |n: i32| {
        let h = 2.0 / f64::from(n);
        let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut oscillator, &loose);
        let mut between = 0.0_f64;
        for _ in 0..n {
            solver.next_step = h;
            let limit = solver.end() + h;
            assert_eq!(solver.step(&mut oscillator, &loose, limit), Ok(()));
            let (t, mut x) = (solver.end() - 0.37 * h, [0.0; 2]);
            solver.interpolate(t, &mut x);
            between = between.max((x[0] - t.sin()).abs());
        }
        ((solver.last()[0] - 2.0_f64.sin()).abs(), between)
    };
    let (coarse, fine) = (error(16), error(32));
    let (order, dense) = ((coarse.0 / fine.0).log2(), (coarse.1 / fine.1).log2());
    assert!((4.8..5.5).contains(&order), "{order}");
    assert!(dense > 3.8, "{dense}");
}

#[test]
fn a_state_that_explodes_is_named() {
    let tolerance = tolerance(1e-6);
    let mut blow_up = |_: f64, x: &[f64; 2], dx: &mut [f64; 2]| *dx = [0.0, x[1] * x[1]];
    let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut blow_up, &tolerance);
    let failure = loop {
        if let Err(failure) = solver.step(&mut blow_up, &tolerance, 2.0) {
            break failure;
        }
    };
    assert!(matches!(failure, StepFailure::TooSmall(1) | StepFailure::NotFinite(1, _)), "{failure:?}");
    assert!((solver.end() - 1.0).abs() < 1e-3);
}

#[test]
fn an_undone_step_can_be_made_again_shorter() {
    let tolerance = tolerance(1e-8);
    let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut oscillator, &tolerance);
    for _ in 0..5 {
        assert_eq!(solver.step(&mut oscillator, &tolerance, 9.0), Ok(()));
    }
    let middle = 0.5 * (solver.start + solver.end);
    solver.undo();
    assert_eq!(solver.step(&mut oscillator, &tolerance, middle), Ok(()));
    assert_eq!(solver.end(), middle);
    assert!((solver.last()[0] - middle.sin()).abs() < 1e-7);
}

/// Every rooted tree up to order 5 as (weights of the stages, density); Butcher's conditions are that `b . weights = 1 / density`.
fn trees(a: &[Vec<f64>; 7]) -> Vec<(usize, [f64; 7], f64)> {
    let through = |v: [f64; 7]| -> [f64; 7] { std::array::from_fn(|i| a[i].iter().zip(v).map(|(a, v)| a * v).sum()) };
    let times = |u: [f64; 7], v: [f64; 7]| -> [f64; 7] { std::array::from_fn(|i| u[i] * v[i]) };
    let c = through([1.0; 7]);
    let (c2, ac) = (times(c, c), through(c));
    let (c3, ac2, aac) = (times(c2, c), through(c2), through(ac));
    vec![
        (1, [1.0; 7], 1.0),
        (2, c, 2.0),
        (3, c2, 3.0),
        (3, ac, 6.0),
        (4, c3, 4.0),
        (4, times(c, ac), 8.0),
        (4, ac2, 12.0),
        (4, aac, 24.0),
        (5, times(c2, c2), 5.0),
        (5, times(c2, ac), 10.0),
        (5, times(ac, ac), 20.0),
        (5, times(c, ac2), 15.0),
        (5, times(c, aac), 30.0),
        (5, through(c3), 20.0),
        (5, through(times(c, ac)), 40.0),
        (5, through(ac2), 60.0),
        (5, through(aac), 120.0),
    ]
}

#[test]
fn the_coefficients_fulfill_the_order_conditions() {
    let rows = [vec![], A2.to_vec(), A3.to_vec(), A4.to_vec(), A5.to_vec(), A6.to_vec(), A7.to_vec()];
    for (row, c) in rows[1..].iter().zip([C[0], C[1], C[2], C[3], 1.0, 1.0]) {
        assert!((row.iter().sum::<f64>() - c).abs() < 1e-14, "{c}");
    }
    let dot = |b: &[f64], weights: &[f64; 7]| b.iter().zip(weights).map(|(b, w)| b * w).sum::<f64>();
    for (order, weights, density) in trees(&rows) {
        assert!((dot(&A7, &weights) - 1.0 / density).abs() < 1e-13, "solution, order {order}, density {density}");
        if order == 5 {
            continue;
        }
        assert!(dot(&E, &weights).abs() < 1e-14, "estimate, order {order}, density {density}");
        for s in [0.1_f64, 0.5, 0.9, 1.0] {
            let mut b: [f64; 7] = std::array::from_fn(|j| s * s * (D[0][j] + s * (D[1][j] + s * D[2][j])));
            b[0] += s;
            let expected = s.powi(order as i32) / density;
            assert!((dot(&b, &weights) - expected).abs() < 1e-13, "dense output at {s}, order {order}, density {density}");
        }
    }
}

#[test]
fn the_growth_is_close_to_the_powers_it_stands_for_and_falls_with_the_error() {
    for before in [1e-4_f64, 0.01, 0.43, 1.0] {
        let mut last = f64::INFINITY;
        for number in 0..2000 {
            let error = 1e-12 * 1.02_f64.powi(number);
            let exact = (0.95 * error.powf(-0.14) * before.powf(0.08)).clamp(0.2, 10.0);
            let found = growth(error * error, before * before);
            assert!((found / exact - 1.0).abs() < 0.1, "{found} instead of {exact} at {error} after {before}");
            assert!(found <= last, "{found} after {last}");
            last = found;
        }
    }
    assert!(growth(1.0 + 1e-12, 1.0) < 0.96, "a rejected step must shrink");
    assert!(growth(0.0, SMALL) > 9.0);
}

#[test]
fn the_fifth_root_is_close() {
    for exponent in -60..60 {
        let root = 1.3_f64.powi(exponent);
        assert!((fifth_root(root.powi(5)) / root - 1.0).abs() < 0.07, "{root}");
    }
}

#[test]
fn a_state_that_leaves_its_bounds_is_named() {
    let tolerance = Tolerance { low: [f64::NEG_INFINITY, 0.0], ..tolerance(1e-6) };
    let mut falling = |_: f64, _: &[f64; 2], dx: &mut [f64; 2]| *dx = [1.0, -1.0];
    let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut falling, &tolerance);
    let failure = loop {
        if let Err(failure) = solver.step(&mut falling, &tolerance, 2.0) {
            break failure;
        }
    };
    assert!(matches!(failure, StepFailure::OutOfBounds(1, value) if value < 0.0), "{failure:?}");
    assert!((solver.end() - 1.0).abs() < 1e-6);
}

#[test]
fn rates_that_are_not_finite_from_the_start_are_named() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut rates = |_: f64, _: &[f64; 2], dx: &mut [f64; 2]| *dx = [1.0, bad];
        let mut solver = Tsitouras::new(0.0, [1.0, 1.0], &mut rates, &tolerance(1e-6));
        let failure = solver.step(&mut rates, &tolerance(1e-6), 2.0);
        assert!(matches!(failure, Err(StepFailure::NotFinite(1, _))), "{failure:?}");
    }
}

#[test]
fn no_step_of_a_smooth_course_is_wasted() {
    let (mut calls, mut steps) = (0, 0);
    let mut counted = |t: f64, x: &[f64; 2], dx: &mut [f64; 2]| {
        calls += 1;
        oscillator(t, x, dx);
    };
    let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut counted, &loose());
    while solver.end() < 100.0 {
        assert_eq!(solver.step(&mut counted, &loose(), 100.0), Ok(()));
        steps += 1;
    }
    assert!(calls <= 2 + 6 * (steps + 3), "{calls} calls for {steps} steps");
}

fn loose() -> Tolerance<[f64; 2]> {
    Tolerance { absolute: [1e-6; 2], ..tolerance(1e-6) }
}
