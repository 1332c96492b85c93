//! Low-grade glioma under temozolomide, with the effects of its genotype.

use crate::{Dynamics, Exposure, Given, ModelSpec, Ode, Refused, Scalar, Source, TreatmentKind, parameters};
use std::sync::Arc;
use twin_core::{Agent, CoreError, Observable};

const MAZZOCCO: Source = Source::published("Mazzocco et al. 2015, doi:10.1002/psp4.54 (77 patients)");
const DAYS_PER_MONTH: f64 = 30.4375;

parameters! {
    /// Parameters of [`low_grade_glioma`], for a tumor without 1p/19q codeletion and with wild-type TP53; see
    /// [`LowGradeGliomaParameters::of_genotype`].
    pub struct LowGradeGliomaParameters {
        initial_proliferating: "mm" in 0.01..=50.0, default 1.72, "Proliferating tissue at the start, as a diameter", MAZZOCCO;
        initial_quiescent: "mm" in 1.0..=90.0, default 32.1, "Quiescent tissue at the start, as a diameter", MAZZOCCO;
        growth_rate: "/mo" in 0.01..=1.0, default 0.143, "Growth rate of proliferating tissue", MAZZOCCO;
        quiescence_rate: "/mo" in 1e-3..=0.5, default 0.0429, "Rate from proliferating to quiescent", MAZZOCCO;
        repair_rate: "/mo" in 1e-5..=0.3, default 0.00947, "Rate from damaged quiescent to proliferating", MAZZOCCO;
        elimination_rate: "/mo" in 1e-3..=0.3, default 0.0188, "Rate at which damaged quiescent tissue dies", MAZZOCCO;
        damage: "1" in 0.01..=2.0, default 0.254, "Damage by the drug, per cycle", MAZZOCCO;
        resistance_rate: "/mo" in 0.0..=1.0, default 0.1, "Rate at which the damage to proliferating tissue wanes with the time since the first dose", MAZZOCCO;
        drug_elimination_rate: "/mo" in 1.0..=20.0, default 8.3, "Elimination rate of the drug", MAZZOCCO;
        carrying_capacity: "mm" in 95.0..=300.0, default 100.0, "Diameter at which growth stops", MAZZOCCO;
    }
}

impl LowGradeGliomaParameters {
    /// The rate of repair and the damage by genotype, (`repair_rate`, `damage`): 0.00807 per month with 1p/19q codeletion (0.00947 without),
    /// 0.143 with mutated TP53 (0.254 without).
    #[must_use]
    pub const fn of_genotype(codeleted_1p_19q: bool, mutated_tp53: bool) -> (f64, f64) {
        (if codeleted_1p_19q { 0.00807 } else { 0.00947 }, if mutated_tp53 { 0.143 } else { 0.254 })
    }
}

/// Proliferating, quiescent and damaged quiescent tissue of a low-grade glioma under temozolomide.
///
/// # Equation
/// With `S = P + Q + D`, the exposure `C` and `e = γ C k`: `C' = -k C`,
/// `P' = λ P (1 - S/K) + k_DP D - k_PQ P - exp(-r t) e P`, `Q' = k_PQ P - e Q`, `D' = e Q - k_DP D - δ D`.
///
/// # States
/// `exposure` in cycles, `proliferating`, `quiescent` and `damaged` in mm, `elapsed` in days since the first dose.
///
/// # Treatments
/// Boluses of temozolomide: one cycle of 200 mg/m² on days 1 to 5 is one unit.
///
/// # Source
/// Ribba et al. 2012, doi:10.1158/1078-0432.CCR-12-0084; Mazzocco et al. 2015, doi:10.1002/psp4.54.
#[derive(Debug, Clone)]
pub struct LowGradeGlioma {
    spec: Arc<ModelSpec>,
}

/// The [`LowGradeGlioma`] model.
///
/// # Errors
/// None: the name of the drug is valid.
pub fn low_grade_glioma() -> Result<Ode<LowGradeGlioma>, CoreError> {
    let spec = ModelSpec::new::<LowGradeGliomaParameters>("low_grade_glioma", "Low-grade glioma under temozolomide", MAZZOCCO)
        .state("exposure", "1", 1e-9)
        .state("proliferating", "mm", 1e-9)
        .state("quiescent", "mm", 1e-9)
        .state("damaged", "mm", 1e-9)
        .state("elapsed", "d", 1e-9)
        .state("treated", "1", 1e-9)
        .observes(Observable::LESION_DIAMETER, "mm")
        .understands_drug(TreatmentKind::Bolus, &Agent::new("temozolomide")?, "1");
    Ok(Ode::new(LowGradeGlioma { spec: Arc::new(spec) }))
}

impl Dynamics for LowGradeGlioma {
    type State = [f64; 6];
    type Parameters = LowGradeGliomaParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &LowGradeGliomaParameters<T>) -> [T; 6] {
        let nothing = T::from(0.0);
        [nothing, p.initial_proliferating, p.initial_quiescent, nothing, nothing, nothing]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 6], _exposure: &Exposure<T>, p: &LowGradeGliomaParameters<T>, dx: &mut [T; 6]) {
        let [exposure, proliferating, quiescent, damaged, elapsed, treated] = *x;
        let hit = p.damage * exposure * p.drug_elimination_rate;
        let resisted = hit * (-p.resistance_rate * elapsed / DAYS_PER_MONTH).exp();
        let size = proliferating + quiescent + damaged;
        let per_month = [
            -p.drug_elimination_rate * exposure,
            p.growth_rate * proliferating * (T::from(1.0) - size / p.carrying_capacity) + p.repair_rate * damaged
                - (p.quiescence_rate + resisted) * proliferating,
            p.quiescence_rate * proliferating - hit * quiescent,
            hit * quiescent - (p.repair_rate + p.elimination_rate) * damaged,
            treated * DAYS_PER_MONTH,
            T::from(0.0),
        ];
        *dx = per_month.map(|rate| rate / DAYS_PER_MONTH);
    }

    fn observe<T: Scalar>(&self, x: &[T; 6], _p: &LowGradeGliomaParameters<T>, y: &mut [T]) {
        y[0] = x[1] + x[2] + x[3];
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &LowGradeGliomaParameters<T>, x: &mut [T; 6]) -> Result<(), Refused> {
        x[0] += given.amount;
        let treated = x[5];
        x[5] = given.amount.if_positive(|| T::from(1.0), || treated); // the clock of resistance runs from the first dose
        Ok(())
    }
}
