//! Expressions: numbers, names, time, and functions of them.

use super::function::Function;
use crate::SimulationError;
use std::collections::BTreeSet;

/// How deep expressions may stand inside each other.
pub const MAX_DEPTH: usize = 128;

/// A number, a name, the time, or a function of other expressions. What is true counts 1, what is false 0, and any other number than
/// 0 is taken for true.
///
/// ```
/// use twin_models::equations::Expression;
/// let rate = Expression::parse("growth_rate * volume * (1 - volume / capacity)")?;
/// assert_eq!(rate.names().into_iter().collect::<Vec<_>>(), ["capacity", "growth_rate", "volume"]);
/// assert!(Expression::parse("growth_rate * (volume").is_err());
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Expression {
    /// A number.
    Number(f64),
    /// The value of a constant, a state or an assignment.
    Name(String),
    /// The time since the start of the course, in the unit of the system.
    Time,
    /// A function of its arguments; made by [`Expression::apply`], which counts them.
    #[non_exhaustive]
    Apply {
        /// The function.
        function: Function,
        /// Its arguments, in order.
        arguments: Vec<Expression>,
    },
}

impl Expression {
    /// The name `name`.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Name(name.to_owned())
    }

    /// `function` of `arguments`.
    ///
    /// # Errors
    /// [`SimulationError::Expression`] for a number of arguments that the function does not take, or beyond [`MAX_DEPTH`].
    pub fn apply(function: Function, arguments: Vec<Self>) -> Result<Self, SimulationError> {
        let fault = |detail: String| SimulationError::Expression { at: 0, detail };
        if !function.takes(arguments.len()) {
            return Err(fault(format!("{} does not take {} argument(s)", function.name(), arguments.len())));
        }
        let whole = Self::Apply { function, arguments };
        if whole.depth() > MAX_DEPTH { Err(fault(format!("more than {MAX_DEPTH} levels"))) } else { Ok(whole) }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Apply { arguments, .. } => 1 + arguments.iter().map(Self::depth).max().unwrap_or(0),
            _ => 1,
        }
    }

    /// How many numbers, names and functions it is made of.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Apply { arguments, .. } => 1 + arguments.iter().map(Self::size).sum::<usize>(),
            _ => 1,
        }
    }

    /// The names in it.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.gather(&mut names);
        names
    }

    fn gather<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Name(name) => {
                names.insert(name);
            }
            Self::Apply { arguments, .. } => arguments.iter().for_each(|argument| argument.gather(names)),
            Self::Number(_) | Self::Time => {}
        }
    }

    /// The comparisons in it, two by two: where none of them changes, neither does what is true of it.
    pub(super) fn comparisons(&self) -> Vec<Self> {
        let Self::Apply { function, arguments } = self else { return Vec::new() };
        let mut found: Vec<Self> = arguments.iter().flat_map(Self::comparisons).collect();
        if function.compares() {
            let pair = |pair: &[Self]| Self::Apply { function: *function, arguments: pair.to_vec() };
            found.extend(arguments.windows(2).map(pair));
        }
        found
    }

    /// The same expression with each name replaced by what `of` has for it.
    ///
    /// # Errors
    /// [`SimulationError::Expression`] beyond [`MAX_DEPTH`].
    pub fn replace(&self, of: &dyn Fn(&str) -> Option<Self>) -> Result<Self, SimulationError> {
        match self {
            Self::Name(name) => Ok(of(name).unwrap_or_else(|| self.clone())),
            Self::Apply { function, arguments } => {
                let arguments: Result<Vec<_>, _> = arguments.iter().map(|argument| argument.replace(of)).collect();
                Self::apply(*function, arguments?)
            }
            Self::Number(_) | Self::Time => Ok(self.clone()),
        }
    }
}
