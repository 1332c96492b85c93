//! Parameters by name: their specification, their values, and the `parameters!` macro that makes a struct of them.

use crate::{ModelSpec, Scalar, SimulationError};
use std::borrow::Cow;
use std::sync::Arc;

/// Where a value or an equation comes from, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Read in the publication cited (DOI, table).
    Published(Cow<'static, str>),
    /// Recalled from the publication cited, but not checked against it.
    Unconfirmed(Cow<'static, str>),
    /// A choice of this library; the reason in a few words.
    Assumed(Cow<'static, str>),
}

impl Source {
    /// A publication that was read.
    #[must_use]
    pub const fn published(citation: &'static str) -> Self {
        Self::Published(Cow::Borrowed(citation))
    }

    /// A publication that was not checked.
    #[must_use]
    pub const fn unconfirmed(citation: &'static str) -> Self {
        Self::Unconfirmed(Cow::Borrowed(citation))
    }

    /// A choice, with its reason.
    #[must_use]
    pub const fn assumed(reason: &'static str) -> Self {
        Self::Assumed(Cow::Borrowed(reason))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Published(citation) => write!(f, "{citation}"),
            Self::Unconfirmed(citation) => write!(f, "unconfirmed: {citation}"),
            Self::Assumed(reason) => write!(f, "assumed: {reason}"),
        }
    }
}

/// What a parameter is: its name, unit, valid range, default, meaning and source.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// Name, in snake case and in full words.
    pub name: Cow<'static, str>,
    /// UCUM unit.
    pub unit: Cow<'static, str>,
    /// Least valid value.
    pub low: f64,
    /// Greatest valid value.
    pub high: f64,
    /// Value where nothing better is known, inside the range.
    pub default: f64,
    /// Meaning, one sentence.
    pub description: Cow<'static, str>,
    /// Where the default comes from.
    pub source: Source,
}

/// A struct whose fields are the parameters of a model; made by [`parameters!`](crate::parameters!).
pub trait ParameterSet: Send + Sync + 'static {
    /// The same parameters as numbers of the kind `T`: for a struct `Growth` it is `Growth<T>`.
    type Of<T: Scalar>: Clone + std::fmt::Debug + Send + Sync + 'static;

    /// The specification of each field, in order.
    fn specs() -> Vec<ParameterSpec>;

    /// The struct, from one value for each field in order; `None` if the number of values differs.
    fn from_values<T: Scalar>(values: &[T]) -> Option<Self::Of<T>>;
}

/// Makes a parameter struct: every field with UCUM unit, valid range, default, meaning and [`Source`]. Its fields are `f64`, or numbers
/// of another kind where the name is followed by one: `Growth<Dual>`.
///
/// ```
/// use twin_models::{ParameterSet, Source, parameters};
/// parameters! {
///     /// Parameters of exponential growth.
///     pub struct Growth {
///         growth_rate: "/d" in 1e-4..=1.0, default 0.02, "Net growth rate of the untreated tumor", Source::assumed("example");
///     }
/// }
/// assert_eq!(Growth::specs()[0].name, "growth_rate");
/// assert_eq!(Growth::from_values(&[0.1]).map(|p| p.growth_rate), Some(0.1));
/// ```
#[macro_export]
macro_rules! parameters {
    // Without a field there is nothing to be of another kind.
    ($(#[$meta:meta])* $visibility:vis struct $name:ident {}) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        $visibility struct $name {}

        impl $crate::ParameterSet for $name {
            type Of<T: $crate::Scalar> = Self;

            fn specs() -> ::std::vec::Vec<$crate::ParameterSpec> {
                ::std::vec::Vec::new()
            }

            fn from_values<T: $crate::Scalar>(values: &[T]) -> ::std::option::Option<Self> {
                values.is_empty().then_some(Self {})
            }
        }
    };
    ($(#[$meta:meta])* $visibility:vis struct $name:ident {
        $($field:ident: $unit:literal in $low:literal ..= $high:literal, default $default:expr, $description:literal, $source:expr;)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        $visibility struct $name<T = f64> {
            $(#[doc = concat!($description, " (`", $unit, "`).")] pub $field: T,)*
        }

        impl $crate::ParameterSet for $name {
            type Of<T: $crate::Scalar> = $name<T>;

            fn specs() -> ::std::vec::Vec<$crate::ParameterSpec> {
                ::std::vec![$($crate::ParameterSpec {
                    name: stringify!($field).into(),
                    unit: $unit.into(),
                    low: $low,
                    high: $high,
                    default: $default,
                    description: $description.into(),
                    source: $source,
                }),*]
            }

            #[allow(unused_mut, unused_variables)]
            fn from_values<T: $crate::Scalar>(values: &[T]) -> ::std::option::Option<$name<T>> {
                let mut values = values.iter().copied();
                let set = $name { $($field: values.next()?),* };
                match values.next() {
                    None => Some(set),
                    Some(_) => None,
                }
            }
        }
    };
}

/// Values for the parameters of one model, every one finite and in its range. They remember their model's id.
///
/// ```
/// use twin_models::{Model, growth};
/// let model = growth::logistic();
/// let parameters = model.spec().defaults()?.with("growth_rate", 0.05)?;
/// assert_eq!(parameters.get("growth_rate")?, 0.05);
/// assert!(parameters.clone().with("growth_rat", 0.05).is_err());
/// assert!(parameters.with("growth_rate", f64::NAN).is_err());
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    spec: Arc<ModelSpec>,
    values: Vec<f64>,
}

impl Parameters {
    pub(crate) fn new(spec: Arc<ModelSpec>, values: Vec<f64>) -> Result<Self, SimulationError> {
        if values.len() != spec.parameters.len() {
            let detail = format!("it has {} parameters, but {} values were given", spec.parameters.len(), values.len());
            return Err(SimulationError::Specification { model: spec.id.clone(), detail });
        }
        let parameters = Self { spec, values };
        for (index, &value) in parameters.values.iter().enumerate() {
            parameters.check(index, value)?;
        }
        Ok(parameters)
    }

    fn check(&self, index: usize, value: f64) -> Result<(), SimulationError> {
        match self.spec.parameters.get(index) {
            Some(spec) if value.is_finite() && value >= spec.low && value <= spec.high => Ok(()),
            Some(spec) => Err(SimulationError::ParameterRange {
                model: self.spec.id.clone(),
                name: spec.name.to_string(),
                value,
                low: spec.low,
                high: spec.high,
                unit: spec.unit.to_string(),
            }),
            None => Err(self.unknown(&format!("number {index}"))),
        }
    }

    fn unknown(&self, name: &str) -> SimulationError {
        let known = self.spec.parameters.iter().map(|spec| spec.name.to_string()).collect();
        SimulationError::UnknownParameter { model: self.spec.id.clone(), name: name.to_owned(), known }
    }

    /// The id of the model that these parameters belong to.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.spec.id
    }

    /// The specification of the model that these parameters belong to.
    #[must_use]
    pub fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    /// The values, in the order of the specification.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The place of the parameter `name`.
    ///
    /// # Errors
    /// [`SimulationError::UnknownParameter`], listing the names there are.
    pub fn index_of(&self, name: &str) -> Result<usize, SimulationError> {
        self.spec.parameters.iter().position(|spec| spec.name == name).ok_or_else(|| self.unknown(name))
    }

    /// The value of the parameter `name`.
    ///
    /// # Errors
    /// [`SimulationError::UnknownParameter`], listing the names there are.
    pub fn get(&self, name: &str) -> Result<f64, SimulationError> {
        let index = self.index_of(name)?;
        self.values.get(index).copied().ok_or_else(|| self.unknown(name))
    }

    /// The same parameters with `name` set to `value`.
    ///
    /// # Errors
    /// [`SimulationError::UnknownParameter`]; [`SimulationError::ParameterRange`] for a value outside its range or not finite.
    pub fn with(mut self, name: &str, value: f64) -> Result<Self, SimulationError> {
        let index = self.index_of(name)?;
        self.set(index, value)?;
        Ok(self)
    }

    /// Sets the parameter at `index` to `value`.
    ///
    /// # Errors
    /// As [`Parameters::with`].
    pub fn set(&mut self, index: usize, value: f64) -> Result<(), SimulationError> {
        self.check(index, value)?;
        if let Some(place) = self.values.get_mut(index) {
            *place = value;
        }
        Ok(())
    }
}
