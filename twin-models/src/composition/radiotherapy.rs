//! Fractions that kill, at once or with a delay.

use super::outline::Outline;
use super::part::{Part, RunningPart, Tumor};
use crate::{Exposure, Given, Input, ParameterSet, Scalar, Source, TreatmentKind, TreatmentSpec, parameters};
use twin_core::Target;

parameters! {
    /// Parameters of [`Radiotherapy`].
    pub(crate) struct RadiotherapyParameters {
        alpha: "/Gy" in 0.0..=1.0, default 0.3, "Linear radiosensitivity", Source::assumed("a customary value for carcinoma; fit it to the patient");
        alpha_beta_ratio: "Gy" in 1.0..=30.0, default 10.0, "Ratio of alpha to beta", Source::assumed("the customary value for tumors");
        oxygen_enhancement: "1" in 1.0..=3.5, default 1.0, "Factor by which hypoxia raises the dose that is needed", Source::assumed("no hypoxia");
    }
}

parameters! {
    /// The parameter of [`Radiotherapy::clearing`].
    pub(crate) struct ClearanceParameters {
        clearance_half_time: "d" in 0.5..=60.0, default 10.0, "Half-time in which killed cells are cleared", Source::assumed("mid-range; fit it to the patient");
    }
}

parameters! {
    /// The parameter of [`Radiotherapy::repairing`].
    pub(crate) struct RepairParameters {
        repair_half_time: "h" in 0.1..=24.0, default 1.5, "Half-time in which sublethal damage is repaired", Source::assumed("a customary value for tumors; fit it to the patient");
    }
}

/// Radiotherapy by the linear-quadratic model: a fraction of `d` leaves `exp(-α d/OER - β (d/OER)²)` of the living cells. What it kills
/// vanishes at once, or keeps its room and is [cleared](Radiotherapy::clearing) with a half-time. Sublethal damage is repaired between
/// sessions, or only in [part](Radiotherapy::repairing): then each pair of fractions shares what is left, `2 β d₁ d₂ exp(-μ t)`, by the sum
/// of Lea and Catcheside.
///
/// # Assumptions
/// Fractions name their target: those to another one than that of this part, `tumor` unless it is [aimed](Radiotherapy::aimed_at), are
/// refused, as every treatment that no part understands. Two parts may be aimed at two targets.
///
/// # Valid for
/// Without incomplete repair, sessions six hours and more apart; and a tumor of many cells: a share of it always survives, so it may become
/// smaller than one cell, but is never extinct. For control use [`poisson_control`](crate::radiation::poisson_control).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Radiotherapy {
    clearing: bool,
    repairing: bool,
    target: Target,
}

impl Default for Radiotherapy {
    fn default() -> Self {
        Self { clearing: false, repairing: false, target: Target::TUMOR }
    }
}

impl Radiotherapy {
    /// Killed cells keep their room and are cleared exponentially.
    #[must_use]
    pub fn clearing() -> Self {
        Self { clearing: true, ..Self::default() }
    }

    /// The same with sublethal damage that is repaired with a half-time, so that sessions which follow closely share some.
    #[must_use]
    pub fn repairing(self) -> Self {
        Self { repairing: true, ..self }
    }

    /// The same for fractions to `target`, in place of `tumor`.
    #[must_use]
    pub fn aimed_at(self, target: Target) -> Self {
        Self { target, ..self }
    }
}

/// [`Radiotherapy`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningRadiotherapy<T = f64> {
    p: RadiotherapyParameters<T>,
    fraction: Input,
    clearance_per_day: Option<T>,
    repair_per_day: Option<T>,
}

impl Part for Radiotherapy {
    type Running<T: Scalar> = RunningRadiotherapy<T>;

    fn outline(&self) -> Outline {
        let mut outline = Outline::new("lq").parameters::<RadiotherapyParameters>("radiation");
        if self.clearing {
            outline = outline.parameters::<ClearanceParameters>("radiation").state("radiation_killed".to_owned(), "mm3", 1e-9);
        }
        if self.repairing {
            outline = outline.parameters::<RepairParameters>("radiation").state("radiation_unrepaired".to_owned(), "Gy", 1e-9);
        }
        let target = Some(self.target.clone());
        outline.treatments.push(TreatmentSpec { kind: TreatmentKind::Fraction, agent: None, unit: None, target });
        outline.needs_tumor = true;
        outline
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<RunningRadiotherapy<T>> {
        let per_day = |half_time_days: T| T::from(std::f64::consts::LN_2) / half_time_days;
        let (of_kill, rest) = values.split_at_checked(RadiotherapyParameters::specs().len())?;
        let (of_clearance, of_repair) = rest.split_at_checked(usize::from(self.clearing))?;
        let clearance_per_day =
            if self.clearing { Some(per_day(ClearanceParameters::from_values(of_clearance)?.clearance_half_time)) } else { None };
        let repair_per_day = if self.repairing {
            Some(per_day(RepairParameters::from_values(of_repair)?.repair_half_time / 24.0))
        } else {
            of_repair.is_empty().then_some(None)?
        };
        let &[fraction] = inputs else { return None };
        Some(RunningRadiotherapy { p: RadiotherapyParameters::from_values(of_kill)?, fraction, clearance_per_day, repair_per_day })
    }
}

impl<T: Scalar> RunningRadiotherapy<T> {
    /// The states of killed cells and of the dose whose damage is not repaired, as far as there are.
    #[inline]
    fn split<'a, N>(&self, x: &'a mut [N]) -> (Option<&'a mut N>, Option<&'a mut N>) {
        let (killed, unrepaired) = x.split_at_mut(usize::from(self.clearance_per_day.is_some()).min(x.len()));
        (killed.first_mut(), unrepaired.first_mut())
    }
}

impl<T: Scalar> RunningPart<T> for RunningRadiotherapy<T> {
    fn start(&self, _x: &mut [T]) {}

    #[inline(always)]
    fn dying(&self, x: &[T]) -> T {
        if self.clearance_per_day.is_some() { x.first().copied().unwrap_or(T::from(0.0)) } else { T::from(0.0) }
    }

    #[inline(always)]
    fn rates(&self, x: &[T], _exposure: &Exposure<T>, _tumor: &Tumor<T>, dx: &mut [T]) {
        // Both states fall exponentially, in the order in which they stand.
        let rates = [self.clearance_per_day, self.repair_per_day];
        for ((rate, amount), of_amount) in rates.into_iter().flatten().zip(x).zip(dx) {
            *of_amount = -rate * *amount;
        }
    }

    fn treat(&self, given: Given<T>, ln_living: &mut T, x: &mut [T]) {
        if given.input != self.fraction {
            return;
        }
        let dose = given.amount / self.p.oxygen_enhancement;
        let (killed, unrepaired) = self.split(x);
        let mut shared = T::from(0.0);
        if let Some(unrepaired) = unrepaired {
            shared = *unrepaired * 2.0;
            *unrepaired += dose;
        }
        let effect = self.p.alpha * dose * (T::from(1.0) + (dose + shared) / self.p.alpha_beta_ratio);
        if let Some(killed) = killed {
            *killed -= ln_living.exp() * (-effect).exp_m1();
        }
        *ln_living -= effect;
    }

    fn observe(&self, _x: &[T], _y: &mut [T]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::{Law, TumorModel, UpTo};
    use crate::growth::Exponential;
    use crate::radiation::{AlphaBetaRatio, RepairHalfTime, Tissue};
    use crate::{Model, Scenario, simulate};
    use twin_core::{AbsorbedDose, Observable, Random, Time, TimedTreatment, Treatment};

    fn fraction(hours: f64, target: &Target) -> TimedTreatment {
        let dose = AbsorbedDose::from_gray(1.5).unwrap();
        TimedTreatment::new(Time::from_days(hours / 24.0).unwrap(), Treatment::fraction(dose, target.clone()))
    }

    #[test]
    fn a_course_with_incomplete_repair_has_the_biological_dose_of_its_schedule() {
        let model =
            TumorModel::<_, _, UpTo<4>>::model("repair", Law::<Exponential>::new(), Radiotherapy::default().repairing()).unwrap();
        // Three sessions a day for four days, growth as slow as it goes.
        let hours = (0..12).map(|session| f64::from(session / 3) * 24.0 + f64::from(session % 3) * 6.0);
        let course: Vec<_> = hours.map(|hours| fraction(hours, &Target::TUMOR)).collect();
        let parameters =
            model.spec().defaults().unwrap().with("growth_rate", 1e-4).unwrap().with("radiation_repair_half_time", 4.0).unwrap();
        let scenario = Scenario::starting(Time::ORIGIN).treated(course.clone()).sampled([Time::from_days(5.0).unwrap()]);
        let seen = simulate(&model, &parameters, &scenario, &mut Random::new(0)).unwrap();
        let left = seen.column(&Observable::TUMOR_VOLUME).unwrap()[0] / 100.0 * (-5e-4_f64).exp();
        let tissue = Tissue::new(AlphaBetaRatio::from_gray(10.0).unwrap()).repairing(RepairHalfTime::from_hours(4.0).unwrap());
        let bed = tissue.biological_dose(&course, &Target::TUMOR).unwrap().bed_gray;
        assert!((-left.ln() / 0.3 / bed - 1.0).abs() < 1e-7, "{} and {bed}", -left.ln() / 0.3);
    }

    #[test]
    fn fractions_to_another_target_are_refused() {
        let boost = Target::new("ptv").unwrap();
        let at = |target: &Target, part: Radiotherapy| {
            let model = TumorModel::<_, _, UpTo<4>>::model("aimed", Law::<Exponential>::new(), part).unwrap();
            let scenario =
                Scenario::starting(Time::ORIGIN).treated([fraction(0.0, target)]).sampled([Time::from_days(1.0).unwrap()]);
            simulate(&model, &model.spec().defaults().unwrap(), &scenario, &mut Random::new(0))
                .map(|_| ())
                .map_err(|e| e.to_string())
        };
        assert!(at(&Target::TUMOR, Radiotherapy::default()).is_ok());
        assert!(at(&boost, Radiotherapy::default().aimed_at(boost.clone())).is_ok());
        for (target, part) in
            [(&boost, Radiotherapy::default()), (&Target::TUMOR, Radiotherapy::clearing().aimed_at(boost.clone()))]
        {
            let error = at(target, part).unwrap_err();
            assert!(error.contains(target.as_str()) && error.contains("fraction to"), "{error}");
        }
    }
}
