//! The integrator against curves certified to 25 digits.

use super::{Claim, Ours, words};
use std::sync::Arc;
use twin_core::{Observable, Random, Time};
use twin_models::{Dynamics, Exposure, Model, ModelSpec, Ode, Scalar, Scenario, Source, parameters, simulate};

const CERTIFIED: &str = "Taylor series, 30 digits";

parameters! {
    /// None of the certified systems has free parameters here.
    struct Fixed {
        unused: "1" in 0.0..=1.0, default 0.0, "Not used", Source::assumed("the constants stand in the equations");
    }
}

/// Which certified system.
#[derive(Clone, Copy)]
enum System {
    Kuznetsov,
    LotkaVolterra,
}

/// A certified system and its start.
struct Certified {
    spec: Arc<ModelSpec>,
    start: [f64; 2],
    system: System,
}

impl Dynamics for Certified {
    type State = [f64; 2];
    type Parameters = Fixed;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Fixed<T>) -> [T; 2] {
        self.start.map(T::from)
    }

    fn rates<T: Scalar>(&self, _t: T, x: &[T; 2], _exposure: &Exposure<T>, _p: &Fixed<T>, dx: &mut [T; 2]) {
        *dx = match self.system {
            System::Kuznetsov => kuznetsov(x),
            System::LotkaVolterra => lotka_volterra(x),
        };
    }

    fn observe<T: Scalar>(&self, x: &[T; 2], _p: &Fixed<T>, y: &mut [T]) {
        y.copy_from_slice(x);
    }
}

fn kuznetsov<T: Scalar>(&[x, z]: &[T; 2]) -> [T; 2] {
    [x * z * 1.131 / (z + 20.19) + 0.1181 - x * z * 0.00311 - x * 0.3743, z * 1.636 * (T::from(1.0) - z * 0.002) - x * z]
}

fn lotka_volterra<T: Scalar>(&[u, v]: &[T; 2]) -> [T; 2] {
    [(T::from(0.55) - v * 0.028) * u, (u * 0.024 - 0.80) * v]
}

/// The largest relative error over all points of a certified curve, at relative tolerance 1e-8.
fn error(start: [f64; 2], system: System, points: &[(f64, [f64; 2])]) -> Ours {
    let spec = ModelSpec::new::<Fixed>("certified", "A certified system", Source::published(CERTIFIED))
        .state("first", "1", 1e-12)
        .state("second", "1", 1e-12)
        .observes(Observable::TUMOR_BURDEN, "1")
        .observes(Observable::CELLULARITY, "1");
    let model = Ode::new(Certified { spec: Arc::new(spec), start, system }).with_relative_tolerance(1e-8);
    let times = points.iter().map(|(day, _)| Time::from_days(*day)).collect::<Result<Vec<_>, _>>().map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).sampled(times);
    let defaults = model.spec().defaults().map_err(words)?;
    let trajectory = simulate(&model, &defaults, &scenario, &mut Random::new(0)).map_err(words)?;
    let certified = points.iter().flat_map(|(_, values)| values);
    Ok(trajectory.values.iter().zip(certified).map(|(ours, exact)| (ours / exact - 1.0).abs()).fold(0.0, f64::max))
}

pub(super) fn claims() -> Vec<Claim> {
    // The gate of the reference set: the error at relative tolerance 1e-8 stays within 100 times that.
    let gate = (0.0, 1e-6);
    vec![
        Claim::quick("certified.kuznetsov1994", "largest relative error at tolerance 1e-8", CERTIFIED, gate, || {
            let points = [
                (1.0, [1.056_875_375_591_870_3, 38.179_730_147_977_36]),
                (5.0, [2.593_016_744_173_952_4, 5.484_700_718_140_275]),
                (10.0, [1.054_380_208_595_531_6, 4.234_490_938_052_851]),
                (20.0, [1.433_636_031_182_096_9, 4.038_629_686_598_779]),
                (50.0, [1.698_689_120_253_435_3, 7.874_027_435_736_024]),
            ];
            error([0.76, 20.0], System::Kuznetsov, &points)
        }),
        Claim::quick("certified.lotka_volterra", "largest relative error at tolerance 1e-8", CERTIFIED, gate, || {
            let points = [
                (1.0, [49.284_283_975_495_89, 7.176_707_176_485_09]),
                (5.0, [18.857_370_778_099_637, 39.117_048_543_149_91]),
                (10.0, [32.072_985_507_868_5, 5.939_942_635_532_333]),
                (20.0, [30.297_740_758_131_55, 5.985_817_371_975_998]),
            ];
            error([33.956, 5.933], System::LotkaVolterra, &points)
        }),
    ]
}
