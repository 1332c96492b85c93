//! What is done to a patient: radiotherapy fractions, drugs, surgery.

use crate::{AbsorbedDose, CoreError, Proportion, Quantity, Span, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A short machine-readable name: ASCII letters, digits, `_`, `-`, `.` and single spaces, at most 64 characters.
pub(crate) fn checked_name(what: &'static str, name: &str) -> Result<String, CoreError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let trimmed = name.trim() == name && !name.contains("  ");
    if name.is_empty() || name.len() > 64 || !trimmed || !name.chars().all(fits) {
        let text = name.chars().take(64).collect();
        return Err(CoreError::Text { what, text, valid: "1 to 64 ASCII letters, digits, `_`, `-`, `.` or single inner spaces" });
    }
    Ok(name.to_owned())
}

/// A text newtype validated by [`checked_name`].
macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
        pub struct $name(std::borrow::Cow<'static, str>);

        impl $name {
            #[doc = concat!("Names ", $what, ".")]
            ///
            /// # Errors
            /// [`CoreError::Text`](crate::CoreError::Text) unless the name is 1 to 64 ASCII letters, digits, `_`, `-`, `.` or single
            /// inner spaces.
            pub fn new(name: &str) -> Result<Self, crate::CoreError> {
                crate::treatment::checked_name($what, name).map(|name| Self(name.into()))
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::CoreError;
            fn try_from(name: String) -> Result<Self, crate::CoreError> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into_owned()
            }
        }
    };
}
pub(crate) use name;

name! {
    /// A drug or a drug combination, by its generic name in lower case where there is one: `abiraterone`.
    Agent, "an agent"
}

name! {
    /// A body region or volume that a local treatment aims at: `prostate`, `ptv_60`.
    Target, "a target"
}

impl Target {
    /// The tumor: what fractions and operations aim at unless they name another target.
    pub const TUMOR: Self = Self(std::borrow::Cow::Borrowed("tumor"));
}

/// One fraction of radiotherapy: a dose delivered to a target in one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fraction {
    /// The absorbed dose of this fraction.
    pub dose: AbsorbedDose,
    /// The volume that receives it.
    pub target: Target,
}

/// One thing done to a patient at one time.
///
/// Doses are never negative; a validated constructor stands at every door, deserialization included. A drug dose written out is
/// not one of them:
///
/// ```compile_fail,E0639
/// use twin_core::{Agent, Quantity, Treatment};
/// let (agent, dose) = (Agent::new("docetaxel").unwrap(), Quantity::new(-75.0, "mg").unwrap());
/// let unchecked = Treatment::Bolus { agent, dose };
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Unchecked")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!try_from, deny_unknown_fields))]
#[non_exhaustive]
pub enum Treatment {
    /// A radiotherapy fraction.
    Fraction(Fraction),
    /// A drug dose that enters the circulation at once.
    #[non_exhaustive]
    Bolus {
        /// The drug.
        agent: Agent,
        /// The dose, not negative.
        dose: Quantity,
    },
    /// A drug dose that enters the circulation at a constant rate over a duration.
    #[non_exhaustive]
    Infusion {
        /// The drug.
        agent: Agent,
        /// The whole dose, not negative.
        dose: Quantity,
        /// How long the infusion runs, longer than nothing.
        duration: Span,
    },
    /// A drug dose taken by mouth.
    #[non_exhaustive]
    Oral {
        /// The drug.
        agent: Agent,
        /// The dose, not negative.
        dose: Quantity,
    },
    /// Continuous therapy is set to an intensity, until it is set again: 1 is on at full dose, 0 is off.
    Continuous {
        /// The drug.
        agent: Agent,
        /// The share of the full dose.
        intensity: Proportion,
    },
    /// An operation that removes a share of the target's tumor.
    Surgery {
        /// What is operated on.
        target: Target,
        /// The share of the tumor that is removed.
        extent: Proportion,
    },
}

/// The wire form of [`Treatment`], before its doses are checked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Unchecked {
    Fraction(Fraction),
    Bolus { agent: Agent, dose: Quantity },
    Infusion { agent: Agent, dose: Quantity, duration: Span },
    Oral { agent: Agent, dose: Quantity },
    Continuous { agent: Agent, intensity: Proportion },
    Surgery { target: Target, extent: Proportion },
}

impl TryFrom<Unchecked> for Treatment {
    type Error = CoreError;
    fn try_from(unchecked: Unchecked) -> Result<Self, CoreError> {
        match unchecked {
            Unchecked::Fraction(fraction) => Ok(Self::Fraction(fraction)),
            Unchecked::Bolus { agent, dose } => Self::bolus(agent, dose),
            Unchecked::Infusion { agent, dose, duration } => Self::infusion(agent, dose, duration),
            Unchecked::Oral { agent, dose } => Self::oral(agent, dose),
            Unchecked::Continuous { agent, intensity } => Ok(Self::Continuous { agent, intensity }),
            Unchecked::Surgery { target, extent } => Ok(Self::Surgery { target, extent }),
        }
    }
}

fn checked_dose(dose: Quantity) -> Result<Quantity, CoreError> {
    if dose.value() < 0.0 {
        return Err(CoreError::OutOfRange { what: "drug dose", value: dose.value(), valid: "0 or more" });
    }
    Ok(dose)
}

impl Treatment {
    /// A radiotherapy fraction of `dose` to `target`.
    #[must_use]
    pub fn fraction(dose: AbsorbedDose, target: Target) -> Self {
        Self::Fraction(Fraction { dose, target })
    }

    /// A bolus of `dose`.
    ///
    /// # Errors
    /// [`CoreError::OutOfRange`] for a negative dose.
    pub fn bolus(agent: Agent, dose: Quantity) -> Result<Self, CoreError> {
        Ok(Self::Bolus { agent, dose: checked_dose(dose)? })
    }

    /// An infusion of `dose` over `duration`.
    ///
    /// # Errors
    /// [`CoreError::OutOfRange`] for a negative dose or a duration that is not positive.
    pub fn infusion(agent: Agent, dose: Quantity, duration: Span) -> Result<Self, CoreError> {
        if !duration.is_positive() {
            return Err(CoreError::OutOfRange {
                what: "infusion duration in days",
                value: duration.days(),
                valid: "longer than nothing (a bolus has no duration)",
            });
        }
        Ok(Self::Infusion { agent, dose: checked_dose(dose)?, duration })
    }

    /// A dose taken by mouth.
    ///
    /// # Errors
    /// [`CoreError::OutOfRange`] for a negative dose.
    pub fn oral(agent: Agent, dose: Quantity) -> Result<Self, CoreError> {
        Ok(Self::Oral { agent, dose: checked_dose(dose)? })
    }

    /// Continuous therapy on, at full dose.
    #[must_use]
    pub fn on(agent: Agent) -> Self {
        Self::Continuous { agent, intensity: Proportion::ONE }
    }

    /// Continuous therapy off.
    #[must_use]
    pub fn off(agent: Agent) -> Self {
        Self::Continuous { agent, intensity: Proportion::ZERO }
    }

    /// An operation on `target` that removes the share `extent` of its tumor.
    #[must_use]
    pub fn surgery(target: Target, extent: Proportion) -> Self {
        Self::Surgery { target, extent }
    }

    /// The drug given, if the treatment is a drug.
    #[must_use]
    pub fn agent(&self) -> Option<&Agent> {
        match self {
            Self::Bolus { agent, .. }
            | Self::Infusion { agent, .. }
            | Self::Oral { agent, .. }
            | Self::Continuous { agent, .. } => Some(agent),
            Self::Fraction(_) | Self::Surgery { .. } => None,
        }
    }

    /// What is aimed at, if the treatment is local.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Fraction(fraction) => Some(&fraction.target),
            Self::Surgery { target, .. } => Some(target),
            Self::Bolus { .. } | Self::Infusion { .. } | Self::Oral { .. } | Self::Continuous { .. } => None,
        }
    }

    /// The same treatment at `factor` times the dose; surgery is left as it is.
    ///
    /// # Errors
    /// [`CoreError::OutOfRange`] or [`CoreError::NotFinite`] for a factor that is negative or not finite, or that would bring
    /// continuous therapy above its full dose.
    pub fn scaled(&self, factor: f64) -> Result<Self, CoreError> {
        let what = "dose factor";
        if !factor.is_finite() {
            return Err(CoreError::NotFinite { what, value: factor });
        }
        if factor < 0.0 {
            return Err(CoreError::OutOfRange { what, value: factor, valid: "0 or more" });
        }
        let scale = |dose: &Quantity| Quantity::new(dose.value() * factor, dose.unit().clone());
        match self {
            Self::Fraction(Fraction { dose, target }) => {
                Ok(Self::fraction(AbsorbedDose::from_gray(dose.gray() * factor)?, target.clone()))
            }
            Self::Bolus { agent, dose } => Self::bolus(agent.clone(), scale(dose)?),
            Self::Infusion { agent, dose, duration } => Self::infusion(agent.clone(), scale(dose)?, *duration),
            Self::Oral { agent, dose } => Self::oral(agent.clone(), scale(dose)?),
            Self::Continuous { agent, intensity } => {
                Ok(Self::Continuous { agent: agent.clone(), intensity: Proportion::new(intensity.value() * factor)? })
            }
            Self::Surgery { .. } => Ok(self.clone()),
        }
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fraction(Fraction { dose, target }) => write!(f, "{} Gy to {target}", dose.gray()),
            Self::Bolus { agent, dose } => write!(f, "{agent} {dose} bolus"),
            Self::Infusion { agent, dose, duration } => write!(f, "{agent} {dose} over {duration}"),
            Self::Oral { agent, dose } => write!(f, "{agent} {dose} by mouth"),
            Self::Continuous { agent, intensity } => write!(f, "{agent} continuous at {}", intensity.value()),
            Self::Surgery { target, extent } => write!(f, "surgery of {target}, extent {}", extent.value()),
        }
    }
}

/// A treatment with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimedTreatment {
    /// When it is given.
    pub time: Time,
    /// What is given.
    pub treatment: Treatment,
}

impl TimedTreatment {
    /// `treatment` at `time`.
    #[must_use]
    pub fn new(time: Time, treatment: Treatment) -> Self {
        Self { time, treatment }
    }
}
