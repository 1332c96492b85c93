//! What is seen of a patient: numbers with unit and error, censored values, categories, fields.

use crate::treatment::name;
use crate::{CoreError, Quantity, ScalarField, Unit};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

name! {
    /// What can be observed, by name; the usual ones are constants with a customary unit in [`Observable::CATALOGUE`].
    ///
    /// ```
    /// use twin_core::Observable;
    /// assert_eq!(Observable::PSA.customary_unit(), Some("ng/mL"));
    /// assert_eq!(Observable::new("my_marker")?.customary_unit(), None);
    /// # Ok::<(), twin_core::CoreError>(())
    /// ```
    Observable, "an observable"
}

macro_rules! catalogue {
    ($($constant:ident $name:literal $unit:literal $doc:literal;)*) => {
        impl Observable {
            $(#[doc = $doc] #[doc = concat!(" (customary unit `", $unit, "`).")]
            pub const $constant: Self = Self(Cow::Borrowed($name));)*

            /// Every observable of the catalogue with its customary UCUM unit.
            pub const CATALOGUE: &'static [(Self, &'static str)] = &[$((Self::$constant, $unit)),*];
        }
    };
}

catalogue! {
    LESION_DIAMETER "lesion_diameter" "mm" "Longest diameter of a lesion";
    SUM_OF_DIAMETERS "sum_of_diameters" "mm" "Sum of the longest diameters of the target lesions (RECIST)";
    LESION_VOLUME "lesion_volume" "mm3" "Volume of a lesion";
    TUMOR_VOLUME "tumor_volume" "mm3" "Volume of the whole tumor";
    ENHANCING_VOLUME "enhancing_volume" "mm3" "Volume of the tumor that enhances with contrast";
    TUMOR_CELL_COUNT "tumor_cell_count" "1" "Number of tumor cells";
    TUMOR_BURDEN "tumor_burden" "1" "Tumor burden as a share of the carrying capacity";
    PSA "psa" "ng/mL" "Prostate-specific antigen in serum";
    TESTOSTERONE "testosterone" "nmol/L" "Testosterone in serum";
    CA_125 "ca_125" "k[arb'U]/L" "Cancer antigen 125 in serum";
    CEA "cea" "ng/mL" "Carcinoembryonic antigen in serum";
    LDH "ldh" "U/L" "Lactate dehydrogenase in serum";
    CTDNA "ctdna" "1/mL" "Circulating tumor DNA, mutant molecules per volume of plasma";
    NEUTROPHILS "neutrophils" "10*9/L" "Absolute neutrophil count";
    PLATELETS "platelets" "10*9/L" "Platelet count";
    HEMOGLOBIN "hemoglobin" "g/dL" "Hemoglobin in blood";
    BODY_WEIGHT "body_weight" "kg" "Body weight";
    ECOG "ecog" "1" "Performance status of the Eastern Cooperative Oncology Group, 0 to 5";
    CELLULARITY "cellularity" "1" "Tumor cells as a share of the carrying capacity, by voxel (a field)";
}

impl Observable {
    /// The customary UCUM unit, for an observable of the catalogue.
    #[must_use]
    pub fn customary_unit(&self) -> Option<&'static str> {
        Self::CATALOGUE.iter().find(|(observable, _)| observable == self).map(|(_, unit)| *unit)
    }
}

/// What was found when something was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Unchecked")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!try_from, deny_unknown_fields))]
#[non_exhaustive]
pub enum Finding {
    /// A number with its unit and, where the instrument states one, its standard error in the same unit.
    #[non_exhaustive]
    Measured {
        /// The number.
        quantity: Quantity,
        /// The standard error of the measurement, in the unit of the quantity, not negative.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standard_error: Option<f64>,
    },
    /// The value is below the lower limit of quantification.
    Below(Quantity),
    /// The value is above the upper limit of quantification.
    Above(Quantity),
    /// A category of a nominal or ordinal scale.
    Category(String),
    /// A value in every voxel of a grid.
    Field(ScalarField),
    /// It was looked at, but could not be evaluated; the reason in a few words.
    NotEvaluable(String),
}

/// The wire form of [`Finding`], before it is checked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Unchecked {
    Measured {
        quantity: Quantity,
        #[serde(default)]
        standard_error: Option<f64>,
    },
    Below(Quantity),
    Above(Quantity),
    Category(String),
    Field(ScalarField),
    NotEvaluable(String),
}

impl TryFrom<Unchecked> for Finding {
    type Error = CoreError;
    fn try_from(unchecked: Unchecked) -> Result<Self, CoreError> {
        match unchecked {
            Unchecked::Measured { quantity, standard_error: None } => Ok(Self::measured(quantity)),
            Unchecked::Measured { quantity, standard_error: Some(error) } => Self::measured_with_error(quantity, error),
            Unchecked::Below(limit) => Ok(Self::Below(limit)),
            Unchecked::Above(limit) => Ok(Self::Above(limit)),
            Unchecked::Category(category) => Self::category(category),
            Unchecked::Field(field) => Ok(Self::Field(field)),
            Unchecked::NotEvaluable(reason) => Ok(Self::NotEvaluable(reason)),
        }
    }
}

impl Finding {
    /// A measured number without a stated error.
    #[must_use]
    pub fn measured(quantity: Quantity) -> Self {
        Self::Measured { quantity, standard_error: None }
    }

    /// A measured number with its standard error in the same unit.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] or [`CoreError::OutOfRange`] for an error that is not finite or is negative.
    pub fn measured_with_error(quantity: Quantity, standard_error: f64) -> Result<Self, CoreError> {
        if !standard_error.is_finite() {
            return Err(CoreError::NotFinite { what: "standard error", value: standard_error });
        }
        if standard_error < 0.0 {
            return Err(CoreError::OutOfRange { what: "standard error", value: standard_error, valid: "0 or more" });
        }
        Ok(Self::Measured { quantity, standard_error: Some(standard_error) })
    }

    /// A category.
    ///
    /// # Errors
    /// [`CoreError::Text`] for an empty category.
    pub fn category(category: impl Into<String>) -> Result<Self, CoreError> {
        let category = category.into();
        if category.trim().is_empty() {
            return Err(CoreError::Text { what: "a category", text: category, valid: "not empty" });
        }
        Ok(Self::Category(category))
    }

    /// The same number or limit in another unit, with its standard error; what has no quantity stays as it is.
    ///
    /// # Errors
    /// As [`Unit::convert`].
    pub fn to(&self, unit: &Unit) -> Result<Self, CoreError> {
        match self {
            Self::Measured { quantity, standard_error } => {
                let converted = quantity.to(unit)?;
                // A standard error is a difference: it converts with the slope of the unit, not with its zero.
                let difference = |error: f64| {
                    let upper = quantity.unit().convert(quantity.value() + error, unit)?;
                    Ok::<_, CoreError>((upper - converted.value()).abs())
                };
                let standard_error = match standard_error {
                    Some(error) if quantity.unit() != unit => Some(difference(*error)?),
                    same => *same,
                };
                Ok(Self::Measured { quantity: converted, standard_error })
            }
            Self::Below(limit) => Ok(Self::Below(limit.to(unit)?)),
            Self::Above(limit) => Ok(Self::Above(limit.to(unit)?)),
            Self::Category(_) | Self::Field(_) | Self::NotEvaluable(_) => Ok(self.clone()),
        }
    }

    /// The quantity measured, or the limit it is censored at.
    #[must_use]
    pub fn quantity(&self) -> Option<&Quantity> {
        match self {
            Self::Measured { quantity, .. } | Self::Below(quantity) | Self::Above(quantity) => Some(quantity),
            Self::Category(_) | Self::Field(_) | Self::NotEvaluable(_) => None,
        }
    }
}

/// One observation: what was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Observation {
    /// What was looked at.
    pub observable: Observable,
    /// What was found.
    pub finding: Finding,
}

impl Observation {
    /// `finding` of `observable`.
    #[must_use]
    pub fn new(observable: Observable, finding: Finding) -> Self {
        Self { observable, finding }
    }

    /// A number in the UCUM unit `unit`.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for a value that is not finite, [`CoreError::Unit`] for an unknown unit.
    pub fn number(observable: Observable, value: f64, unit: &str) -> Result<Self, CoreError> {
        Ok(Self::new(observable, Finding::measured(Quantity::new(value, unit.parse::<crate::Unit>()?)?)))
    }
}
