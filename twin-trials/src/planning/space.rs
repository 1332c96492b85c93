//! Decision variables, and the plans that they describe.

use super::Plan;
use crate::TrialError;
use std::fmt;
use std::sync::Arc;

/// A number that a plan leaves open.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// UCUM unit of its values.
    pub unit: String,
    /// The values that it may take.
    pub domain: Domain,
}

/// The values that a [`Variable`] may take.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Domain {
    /// Every number from `low` to `high`.
    Real {
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
    },
    /// Every whole number from `low` to `high`.
    Whole {
        /// The least value.
        low: u32,
        /// The greatest value.
        high: u32,
    },
    /// These values, in this order.
    Choice(Vec<f64>),
}

impl Domain {
    /// The value at `share` of the way through the domain, from 0 to 1.
    #[must_use]
    pub fn at(&self, share: f64) -> f64 {
        let nth = |count: usize| ((share * count as f64) as usize).min(count.saturating_sub(1));
        match self {
            Self::Real { low, high } => (low + share * (high - low)).clamp(*low, *high),
            Self::Whole { low, high } => f64::from(*low) + nth((high - low) as usize + 1) as f64,
            Self::Choice(values) => values.get(nth(values.len())).copied().unwrap_or(f64::NAN),
        }
    }

    /// The values of the domain: all of them where they are countable, else `steps` evenly spread ones.
    fn menu(&self, steps: usize) -> Vec<f64> {
        match self {
            Self::Real { .. } if steps < 2 => vec![self.at(0.5)],
            Self::Real { .. } => (0..steps).map(|step| self.at(step as f64 / (steps - 1) as f64)).collect(),
            Self::Whole { low, high } => (*low..=*high).map(f64::from).collect(),
            Self::Choice(values) => values.clone(),
        }
    }

    fn has(&self, value: f64) -> bool {
        match self {
            Self::Real { low, high } => (*low..=*high).contains(&value),
            Self::Whole { low, high } => (f64::from(*low)..=f64::from(*high)).contains(&value) && value.fract().abs() < 1e-12,
            Self::Choice(values) => values.iter().any(|known| known.total_cmp(&value).is_eq()),
        }
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::Real { low, high } => low.is_finite() && high.is_finite() && low <= high,
            Self::Whole { low, high } => low <= high,
            Self::Choice(values) => !values.is_empty() && values.iter().all(|value| value.is_finite()),
        }
    }
}

impl Variable {
    /// A variable that takes every number from `low` to `high`.
    #[must_use]
    pub fn real(name: &str, unit: &str, low: f64, high: f64) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), domain: Domain::Real { low, high } }
    }

    /// A variable that takes every whole number from `low` to `high`.
    #[must_use]
    pub fn whole(name: &str, unit: &str, low: u32, high: u32) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), domain: Domain::Whole { low, high } }
    }

    /// A variable that takes one of `values`.
    #[must_use]
    pub fn choice(name: &str, unit: &str, values: impl IntoIterator<Item = f64>) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), domain: Domain::Choice(values.into_iter().collect()) }
    }
}

/// How values become a plan.
type Build = dyn Fn(&[f64]) -> Result<Plan, TrialError> + Send + Sync;

/// All plans that some decision variables describe.
///
/// ```
/// use twin_core::{AbsorbedDose, Regimen, Target, Weekday};
/// use twin_trials::planning::{Plan, Space, Variable};
/// let space = Space::new([Variable::whole("fractions", "1", 5, 30), Variable::real("dose", "Gy", 1.8, 3.0)], |x| {
///     let dose = AbsorbedDose::from_gray(x[1])?;
///     let regimen = Regimen::fractions(x[0] as u32, dose, Target::new("ptv")?).on_weekdays(Weekday::Monday);
///     Ok(Plan::regimen(format!("{} x {:.2} Gy", x[0], x[1]), &regimen)?)
/// })?;
/// assert_eq!(space.menu(3)?.len(), 26 * 3);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Clone)]
pub struct Space {
    variables: Vec<Variable>,
    build: Arc<Build>,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Space").field(&self.variables).finish()
    }
}

impl Space {
    /// The most plans that a menu lists.
    pub const LARGEST_MENU: usize = 100_000;

    /// The plans that `build` makes of values of `variables`, which it gets in their order.
    ///
    /// # Errors
    /// [`TrialError::Empty`] without variables; [`TrialError::Variable`] for one without a value, or with bounds that are not finite or
    /// the wrong way round.
    pub fn new(
        variables: impl IntoIterator<Item = Variable>,
        build: impl Fn(&[f64]) -> Result<Plan, TrialError> + Send + Sync + 'static,
    ) -> Result<Self, TrialError> {
        let variables: Vec<Variable> = variables.into_iter().collect();
        if variables.is_empty() {
            return Err(TrialError::Empty { what: "the list of decision variables" });
        }
        match variables.iter().find(|variable| !variable.domain.is_sound()) {
            Some(variable) => Err(TrialError::Variable {
                name: variable.name.clone(),
                detail: format!("{:?} holds no finite value", variable.domain),
            }),
            None => Ok(Self { variables, build: Arc::new(build) }),
        }
    }

    /// The decision variables.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The values at a point of the unit cube, one coordinate from 0 to 1 for each variable.
    #[must_use]
    pub fn at(&self, shares: &[f64]) -> Vec<f64> {
        self.variables.iter().zip(shares).map(|(variable, share)| variable.domain.at(*share)).collect()
    }

    /// The plan of `values`, one for each variable.
    ///
    /// # Errors
    /// [`TrialError::Variable`] for a value outside its domain, [`TrialError::Length`] for a wrong number of them, and what keeps the plan
    /// from being made.
    pub fn plan(&self, values: &[f64]) -> Result<Plan, TrialError> {
        if values.len() != self.variables.len() {
            let (what, reference) = ("the list of values", "the list of decision variables");
            return Err(TrialError::Length { what, found: values.len(), reference, expected: self.variables.len() });
        }
        match self.variables.iter().zip(values).find(|(variable, value)| !variable.domain.has(**value)) {
            Some((variable, value)) => Err(TrialError::Variable {
                name: variable.name.clone(),
                detail: format!("{value} is not in {:?}", variable.domain),
            }),
            None => (self.build)(values),
        }
    }

    /// Every plan, for an exhaustive search: all values of countable variables with `steps` evenly spread values of each real one, the last
    /// variable running fastest.
    ///
    /// # Errors
    /// [`TrialError::Count`] for more than [`LARGEST_MENU`](Self::LARGEST_MENU) plans; what keeps a plan from being made.
    pub fn menu(&self, steps: usize) -> Result<Vec<Plan>, TrialError> {
        let menus: Vec<Vec<f64>> = self.variables.iter().map(|variable| variable.domain.menu(steps)).collect();
        let count = menus.iter().fold(1_usize, |count, menu| count.saturating_mul(menu.len()));
        if count > Self::LARGEST_MENU {
            return Err(TrialError::Count { what: "number of plans of the menu", count, valid: "at most 100 000" });
        }
        let row = |number: usize| {
            let mut rest = number;
            let mut row: Vec<f64> = menus
                .iter()
                .rev()
                .filter_map(|menu| {
                    let value = menu.get(rest % menu.len()).copied();
                    rest /= menu.len();
                    value
                })
                .collect();
            row.reverse();
            self.plan(&row)
        };
        (0..count).map(row).collect()
    }
}
