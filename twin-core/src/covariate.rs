//! What describes a patient beside the tumor: sex, age, body size, organ function.

mod formula;

pub use formula::{body_surface_area_du_bois, body_surface_area_mosteller, creatinine_clearance_cockcroft_gault};

use crate::treatment::name;
use crate::{CoreError, Quantity, Recorded, Time};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Sex as the record states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither of these.
    Other,
}

name! {
    /// A covariate that changes with time, by name; the usual ones are constants.
    CovariateName, "a covariate"
}

impl CovariateName {
    /// Body height, a length.
    pub const HEIGHT: Self = Self(Cow::Borrowed("height"));
    /// Body weight, a mass.
    pub const WEIGHT: Self = Self(Cow::Borrowed("weight"));
    /// Creatinine in serum, a mass or an amount per volume.
    pub const CREATININE: Self = Self(Cow::Borrowed("creatinine"));
    /// Performance status of the Eastern Cooperative Oncology Group, a number from 0 to 5.
    pub const ECOG: Self = Self(Cow::Borrowed("ecog"));
}

/// A category of a nominal or ordinal scale: 1 to 64 characters, none a control character, none a space at either end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Category(String);

impl Category {
    /// A category.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless it has 1 to 64 characters, none a control character, none a space at either end. The text itself
    /// is not quoted.
    pub fn new(category: &str) -> Result<Self, CoreError> {
        let count = category.chars().count();
        if count == 0 || count > 64 || category.trim() != category || category.chars().any(char::is_control) {
            let valid = "1 to 64, none a control character, none a space at either end";
            return Err(CoreError::Count { what: "characters of a category", count, valid });
        }
        Ok(Self(category.to_owned()))
    }

    /// The category.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Category {
    type Error = CoreError;
    fn try_from(category: String) -> Result<Self, CoreError> {
        Self::new(&category)
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

/// The value of a covariate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CovariateValue {
    /// A number with its unit.
    Quantity(Quantity),
    /// A category.
    Category(Category),
}

/// What is known of a patient beside the tumor; by default nothing.
///
/// ```
/// use twin_core::{CovariateName, CovariateValue, Covariates, Provenance, Quantity, Recorded, Time};
/// let mut covariates = Covariates::default();
/// for (day, kg) in [(0.0, 70.0), (30.0, 66.0)] {
///     let weight = CovariateValue::Quantity(Quantity::new(kg, "kg")?);
///     covariates.record(CovariateName::WEIGHT, Time::from_days(day)?, Recorded::new(weight, Provenance::measured("chart")));
/// }
/// let weight = covariates.quantity_at(&CovariateName::WEIGHT, Time::from_days(29.0)?);
/// assert_eq!(weight.map(Quantity::value), Some(70.0));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Covariates {
    #[serde(skip_serializing_if = "Option::is_none")]
    sex: Option<Recorded<Sex>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_at_origin: Option<Recorded<Quantity>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    series: Series,
}

/// Values with their times, in order, by name.
type Series = BTreeMap<CovariateName, Vec<(Time, Recorded<CovariateValue>)>>;

/// The wire form of [`Covariates`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Unchecked {
    #[serde(default)]
    sex: Option<Recorded<Sex>>,
    #[serde(default)]
    age_at_origin: Option<Recorded<Quantity>>,
    #[serde(default, deserialize_with = "crate::unique_map::deserialize")]
    series: Series,
}

impl TryFrom<Unchecked> for Covariates {
    type Error = CoreError;
    fn try_from(unchecked: Unchecked) -> Result<Self, CoreError> {
        let mut series = unchecked.series;
        for values in series.values_mut() {
            values.sort_by_key(|(time, _)| *time); // a stable sort
        }
        let mut covariates = Self { sex: unchecked.sex, age_at_origin: None, series };
        if let Some(age) = unchecked.age_at_origin {
            covariates.set_age_at_origin(age)?;
        }
        Ok(covariates)
    }
}

impl Covariates {
    /// The sex, if known.
    #[must_use]
    pub fn sex(&self) -> Option<&Recorded<Sex>> {
        self.sex.as_ref()
    }

    /// Sets the sex.
    pub fn set_sex(&mut self, sex: Recorded<Sex>) {
        self.sex = Some(sex);
    }

    /// The age at the origin of the twin, if known.
    #[must_use]
    pub fn age_at_origin(&self) -> Option<&Recorded<Quantity>> {
        self.age_at_origin.as_ref()
    }

    /// Sets the age at the origin of the twin, in any unit of time.
    ///
    /// # Errors
    /// [`CoreError::OutOfRange`] unless it is 0 to 130 years, [`CoreError::Incommensurable`] if it is not a time.
    pub fn set_age_at_origin(&mut self, age: Recorded<Quantity>) -> Result<(), CoreError> {
        let years = age.value.value_in("a")?;
        if !(0.0..=130.0).contains(&years) {
            return Err(CoreError::OutOfRange { what: "age at the origin in years", value: years, valid: "0 to 130" });
        }
        self.age_at_origin = Some(age);
        Ok(())
    }

    /// The age at `time` in years of 365.25 days, if the age at the origin is known.
    ///
    /// # Errors
    /// [`CoreError::OutOfRange`] for a time before birth.
    pub fn age_years(&self, time: Time) -> Result<Option<f64>, CoreError> {
        let Some(age) = &self.age_at_origin else { return Ok(None) };
        let years = age.value.value_in("a")? + time.days() / 365.25;
        if years < 0.0 {
            return Err(CoreError::OutOfRange {
                what: "age in years",
                value: years,
                valid: "0 or more: the time lies before birth",
            });
        }
        Ok(Some(years))
    }

    /// Records `value` of `name` at `time`, after every value already recorded at that time.
    pub fn record(&mut self, name: CovariateName, time: Time, value: Recorded<CovariateValue>) {
        let values = self.series.entry(name).or_default();
        let place = values.partition_point(|(other, _)| *other <= time);
        values.insert(place, (time, value));
    }

    /// The names of the covariates recorded over time, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &CovariateName> {
        self.series.keys()
    }

    /// The values of `name` with their times, in order; empty if there are none.
    #[must_use]
    pub fn values(&self, name: &CovariateName) -> &[(Time, Recorded<CovariateValue>)] {
        self.series.get(name).map_or(&[], Vec::as_slice)
    }

    /// The last value of `name` known at `time`: recorded at or before it.
    #[must_use]
    pub fn value_at(&self, name: &CovariateName, time: Time) -> Option<&Recorded<CovariateValue>> {
        self.values(name).iter().rev().find(|(recorded, _)| *recorded <= time).map(|(_, value)| value)
    }

    /// The last value of `name` known at `time`, if it is a number.
    #[must_use]
    pub fn quantity_at(&self, name: &CovariateName, time: Time) -> Option<&Quantity> {
        match &self.value_at(name, time)?.value {
            CovariateValue::Quantity(quantity) => Some(quantity),
            CovariateValue::Category(_) => None,
        }
    }

    /// The last value of `name` known at `time`, if it is a category.
    #[must_use]
    pub fn category_at(&self, name: &CovariateName, time: Time) -> Option<&Category> {
        match &self.value_at(name, time)?.value {
            CovariateValue::Category(category) => Some(category),
            CovariateValue::Quantity(_) => None,
        }
    }

    /// The covariates as known at `time`: what was recorded after it is left out.
    #[must_use]
    pub fn until(&self, time: Time) -> Self {
        let mut known = self.clone();
        for values in known.series.values_mut() {
            values.retain(|(recorded, _)| *recorded <= time);
        }
        known.series.retain(|_, values| !values.is_empty());
        known
    }

    /// Body surface area at `time` in m2 by [`body_surface_area_mosteller`], from the last known height and weight.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] if height or weight is not known as a number; otherwise as the formula.
    pub fn body_surface_area(&self, time: Time) -> Result<Quantity, CoreError> {
        let what = "body surface area";
        body_surface_area_mosteller(
            self.needed(what, &CovariateName::HEIGHT, time)?,
            self.needed(what, &CovariateName::WEIGHT, time)?,
        )
    }

    /// Creatinine clearance at `time` in mL/min by [`creatinine_clearance_cockcroft_gault`], from age, sex, and the last known
    /// weight and creatinine.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] if one of them is not known; otherwise as the formula.
    pub fn creatinine_clearance(&self, time: Time) -> Result<Quantity, CoreError> {
        let what = "creatinine clearance";
        let age = self.age_years(time)?.ok_or_else(|| missing(what, "age", time))?;
        let sex = self.sex().ok_or_else(|| missing(what, "sex", time))?.value;
        let weight = self.needed(what, &CovariateName::WEIGHT, time)?;
        let creatinine = self.needed(what, &CovariateName::CREATININE, time)?;
        creatinine_clearance_cockcroft_gault(&Quantity::new(age, "a")?, weight, creatinine, sex)
    }

    fn needed(&self, what: &'static str, name: &CovariateName, time: Time) -> Result<&Quantity, CoreError> {
        self.quantity_at(name, time).ok_or_else(|| missing(what, name.as_str(), time))
    }
}

fn missing(what: &'static str, name: &str, time: Time) -> CoreError {
    CoreError::Conflict { what, detail: format!("needs {name}, of which no number is known at {time}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Provenance;
    use proptest::prelude::*;

    fn day(days: i32) -> Time {
        Time::from_days(f64::from(days)).unwrap()
    }

    fn quantity(value: f64, unit: &str) -> Quantity {
        Quantity::new(value, unit).unwrap()
    }

    fn recorded<T>(value: T) -> Recorded<T> {
        Recorded::new(value, Provenance::measured("chart"))
    }

    fn number(value: f64, unit: &str) -> Recorded<CovariateValue> {
        recorded(CovariateValue::Quantity(quantity(value, unit)))
    }

    fn patient() -> Covariates {
        let mut covariates = Covariates::default();
        covariates.set_sex(recorded(Sex::Male));
        covariates.set_age_at_origin(recorded(quantity(60.0, "a"))).unwrap();
        covariates.record(CovariateName::HEIGHT, day(0), number(170.0, "cm"));
        covariates.record(CovariateName::WEIGHT, day(20), number(60.0, "kg"));
        covariates.record(CovariateName::WEIGHT, day(0), number(70.0, "kg"));
        covariates.record(CovariateName::CREATININE, day(0), number(1.0, "mg/dL"));
        covariates.record(
            CovariateName::new("smoking").unwrap(),
            day(5),
            recorded(CovariateValue::Category(Category::new("never").unwrap())),
        );
        covariates
    }

    #[test]
    fn the_last_value_known_holds_until_the_next() {
        let covariates = patient();
        let weight = |at| covariates.quantity_at(&CovariateName::WEIGHT, day(at)).map(Quantity::value);
        assert_eq!([-1, 0, 19, 20, 99].map(weight), [None, Some(70.0), Some(70.0), Some(60.0), Some(60.0)]);
        let smoking = CovariateName::new("smoking").unwrap();
        assert_eq!(covariates.category_at(&smoking, day(5)).map(Category::as_str), Some("never"));
        assert!(covariates.quantity_at(&smoking, day(5)).is_none() && covariates.value_at(&smoking, day(4)).is_none());
    }

    #[test]
    fn of_two_values_at_one_time_the_one_recorded_last_holds() {
        let mut covariates = patient();
        covariates.record(CovariateName::WEIGHT, day(0), number(71.0, "kg"));
        assert_eq!(covariates.quantity_at(&CovariateName::WEIGHT, day(0)).map(Quantity::value), Some(71.0));
    }

    #[test]
    fn formulas_use_what_is_known_at_the_time() {
        let covariates = patient();
        let area = |at| covariates.body_surface_area(day(at)).unwrap().value();
        assert!((area(0) - 1.8181).abs() < 1e-4 && area(20) < area(0));
        let clearance = covariates.creatinine_clearance(day(0)).unwrap();
        assert!((clearance.value() - 77.78).abs() < 0.01 && clearance.unit().code() == "mL/min");
        assert!(covariates.creatinine_clearance(day(10)).unwrap().value() < clearance.value(), "an older patient clears less");
        let unknown = Covariates::default().body_surface_area(day(0)).unwrap_err();
        assert!(unknown.to_string().contains("height"), "{unknown}");
        assert!(Covariates::default().creatinine_clearance(day(0)).is_err());
    }

    #[test]
    fn age_runs_with_time() {
        let covariates = patient();
        assert_eq!(covariates.age_years(Time::from_days(365.25).unwrap()), Ok(Some(61.0)));
        assert!(covariates.age_years(day(-25_000)).is_err());
        assert_eq!(Covariates::default().age_years(day(0)), Ok(None));
    }

    #[test]
    fn refuses_what_is_not_an_age() {
        let mut covariates = Covariates::default();
        for (value, unit) in [(-1.0, "a"), (131.0, "a"), (60.0, "kg")] {
            assert!(covariates.set_age_at_origin(recorded(quantity(value, unit))).is_err(), "{value} {unit}");
        }
        let read = |years| {
            let age = serde_json::to_string(&recorded(quantity(years, "a"))).unwrap();
            serde_json::from_str::<Covariates>(&format!(r#"{{"age_at_origin":{age}}}"#))
        };
        assert!(read(60.0).is_ok() && read(160.0).is_err());
        for bad in ["", " x", "x\ny", &"x".repeat(65)] {
            assert!(Category::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn survives_a_round_trip() {
        for covariates in [patient(), Covariates::default()] {
            let text = serde_json::to_string(&covariates).unwrap();
            assert_eq!(serde_json::from_str::<Covariates>(&text).unwrap(), covariates, "{text}");
        }
        assert!(serde_json::from_str::<Covariates>(r#"{"gender":null}"#).is_err());
        assert!(serde_json::from_str::<Covariates>(r#"{"series":{"weight":[],"weight":[]}}"#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_known_at_a_time_does_not_depend_on_later_values(
            days in proptest::collection::vec(0_i32..30, 0..20),
            at in 0_i32..30,
        ) {
            let mut covariates = Covariates::default();
            for (i, day_of) in days.iter().enumerate() {
                covariates.record(CovariateName::WEIGHT, day(*day_of), number(i as f64, "kg"));
            }
            let values = covariates.values(&CovariateName::WEIGHT);
            prop_assert_eq!(values.len(), days.len());
            prop_assert!(values.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            let known = covariates.until(day(at));
            prop_assert_eq!(known.value_at(&CovariateName::WEIGHT, day(99)), covariates.value_at(&CovariateName::WEIGHT, day(at)));
            let again: Covariates = serde_json::from_str(&serde_json::to_string(&covariates).unwrap()).unwrap();
            prop_assert_eq!(again, covariates);
        }
    }
}
