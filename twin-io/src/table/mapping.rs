//! Which column of a table means what.

use crate::{IoError, Limits, Place, file};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;
use twin_core::{Agent, Observable, Span, Unit};

/// Which column of a table means what. Plain data: build it in Rust from [`Mapping::new`], or read it from TOML.
///
/// ```toml
/// subject = "patient"                      # the column with the subject's id
/// left_out = ["comment"]                   # columns not to read; any other column must be mapped
/// missing = ["", "NA"]                     # texts that state nothing; by default only the empty one
/// delimiter = ";"                          # by default a comma
/// time = { column = "month", unit = "mo" } # a UCUM unit of time: h, d, wk, mo, a
///
/// [[observables]]
/// column = "psa_ng_per_ml"
/// observable = "psa"
/// unit = "ng/mL"                           # a UCUM unit
/// censored = true                          # `<0.1` and `>100` are limits; by default they are refused
/// lower_limit = 0.02                       # a number under it counts as below this limit; by default none
/// signed = false                           # whether a number may be negative
///
/// [[therapies]]                            # a status that holds until the next row
/// column = "on_drug"
/// agent = "abiraterone"
/// on = ["1"]
/// off = ["0"]
///
/// [[doses]]
/// column = "docetaxel_mg"
/// agent = "docetaxel"
/// unit = "mg"
/// route = { infusion = { duration = 0.0417 } } # in days; or "bolus", or "oral"
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The column with the subject's id.
    pub subject: String,
    /// The column with the time.
    pub time: TimeColumn,
    /// The columns that were measured.
    #[serde(default)]
    pub observables: Vec<ObservableColumn>,
    /// The columns that say whether a therapy is on.
    #[serde(default)]
    pub therapies: Vec<TherapyColumn>,
    /// The columns with drug doses.
    #[serde(default)]
    pub doses: Vec<DoseColumn>,
    /// The columns not to read. They need not be there.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The texts that state nothing.
    #[serde(default = "only_empty")]
    pub missing: Vec<String>,
    /// What stands between two fields.
    #[serde(default = "comma")]
    pub delimiter: char,
}

/// The column with the time of a row, a number relative to an origin that is the caller's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeColumn {
    /// The name of the column.
    pub column: String,
    /// The unit of time, a UCUM code such as `h`, `d`, `wk`, `mo` (30.4375 days) or `a`.
    pub unit: Unit,
}

/// A column with an observable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservableColumn {
    /// The name of the column.
    pub column: String,
    /// What was observed.
    pub observable: Observable,
    /// The unit of the numbers, which they keep.
    pub unit: Unit,
    /// Whether `<` and `>` before a number make it a limit of quantification; refused otherwise.
    #[serde(default)]
    pub censored: bool,
    /// The lower limit of quantification: a smaller number counts as below it.
    #[serde(default)]
    pub lower_limit: Option<f64>,
    /// Whether a number may be negative; most observables, such as concentrations, cannot.
    #[serde(default)]
    pub signed: bool,
}

/// A column that says whether a therapy is on, from its row until the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TherapyColumn {
    /// The name of the column.
    pub column: String,
    /// The drug.
    pub agent: Agent,
    /// The texts that mean on; `1` if not given.
    #[serde(default = "one")]
    pub on: Vec<String>,
    /// The texts that mean off; `0` if not given.
    #[serde(default = "zero")]
    pub off: Vec<String>,
}

/// A column with doses of a drug, each given at the time of its row. Radiotherapy fractions are not read from tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoseColumn {
    /// The name of the column.
    pub column: String,
    /// The drug.
    pub agent: Agent,
    /// The unit of the doses.
    pub unit: Unit,
    /// How they are given.
    pub route: Route,
}

/// How a dose enters the body.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Route {
    /// Into the circulation at once.
    Bolus,
    /// By mouth.
    Oral,
    /// Into the circulation at a constant rate.
    Infusion {
        /// How long; in a mapping file in days.
        duration: Span,
    },
}

fn only_empty() -> Vec<String> {
    vec![String::new()]
}

fn comma() -> char {
    ','
}

fn one() -> Vec<String> {
    vec!["1".to_owned()]
}

fn zero() -> Vec<String> {
    vec!["0".to_owned()]
}

const READY: [fn() -> Result<Mapping, IoError>; 2] = [Mapping::abiraterone, Mapping::intermittent_androgen_deprivation];

impl Mapping {
    /// A mapping of a subject and a time, and of nothing else yet.
    #[must_use]
    pub fn new(subject: &str, time: &str, unit: Unit) -> Self {
        Self {
            subject: subject.to_owned(),
            time: TimeColumn { column: time.to_owned(), unit },
            observables: Vec::new(),
            therapies: Vec::new(),
            doses: Vec::new(),
            left_out: Vec::new(),
            missing: only_empty(),
            delimiter: comma(),
        }
    }

    /// A mapping from TOML text.
    ///
    /// # Errors
    /// [`IoError::Mapping`] with the line, for text that is not TOML, a field that is not known or missing, a unit that is not UCUM,
    /// and a mapping that contradicts itself.
    pub fn from_toml(text: &str) -> Result<Self, IoError> {
        Self::parsed(text, None)
    }

    /// A mapping from a TOML file.
    ///
    /// # Errors
    /// As [`Mapping::from_toml`], and [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IoError> {
        let path = path.as_ref();
        Self::parsed(&file::read(path, &Limits::default())?, Some(path))
    }

    /// The mapping of the adaptive abiraterone data set (Zhang 2022, eLife 11:e76284): PSA, and abiraterone on or off.
    ///
    /// # Errors
    /// None in fact; the signature is that of the parser.
    pub fn abiraterone() -> Result<Self, IoError> {
        Self::from_toml(include_str!("../../mappings/abiraterone.toml"))
    }

    /// The mapping of the intermittent androgen deprivation data set (Bruchovsky 2006, Cancer 107:389): PSA, testosterone, and
    /// androgen deprivation on or off. The doses are left out, since the status states the therapy already.
    ///
    /// # Errors
    /// None in fact; the signature is that of the parser.
    pub fn intermittent_androgen_deprivation() -> Result<Self, IoError> {
        Self::from_toml(include_str!("../../mappings/intermittent_androgen_deprivation.toml"))
    }

    /// The ready mapping that names every column of `header` and no other, if there is one, whatever their order.
    ///
    /// ```
    /// use twin_io::table::Mapping;
    /// let mapping = Mapping::detect(&["patient", "arm", "day", "psa_ng_per_ml", "on_abiraterone"]);
    /// assert_eq!(mapping, Some(Mapping::abiraterone()?));
    /// assert_eq!(Mapping::detect(&["patient", "day", "psa"]), None);
    /// # Ok::<(), twin_io::IoError>(())
    /// ```
    #[must_use]
    pub fn detect<S: AsRef<str>>(header: &[S]) -> Option<Self> {
        let present: HashSet<&str> = header.iter().map(AsRef::as_ref).collect();
        let fits = |mapping: &Self| {
            let named: HashSet<&str> = mapping.named().collect();
            named == present
        };
        READY.iter().filter_map(|ready| ready().ok()).find(fits)
    }

    /// The columns to read.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let observables = self.observables.iter().map(|column| column.column.as_str());
        let therapies = self.therapies.iter().map(|column| column.column.as_str());
        let doses = self.doses.iter().map(|column| column.column.as_str());
        [self.subject.as_str(), self.time.column.as_str()].into_iter().chain(observables).chain(therapies).chain(doses)
    }

    /// The columns to read and those left out.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.columns().chain(self.left_out.iter().map(String::as_str))
    }

    fn parsed(text: &str, file: Option<&Path>) -> Result<Self, IoError> {
        let mapping: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| 1 + before.matches('\n').count());
            let place = line.map_or_else(|| Place::of(file), |line| Place::of(file).line(line));
            IoError::Mapping { place, rule: error.message().to_owned() }
        })?;
        mapping.check().map_err(|rule| IoError::Mapping { place: Place::of(file), rule })?;
        Ok(mapping)
    }

    /// Refuses a mapping that contradicts itself, with the rule it breaks.
    pub(super) fn check(&self) -> Result<(), String> {
        if matches!(self.delimiter, '"' | '\r' | '\n') {
            return Err("a delimiter must not be a quote or the end of a line".to_owned());
        }
        if self.observables.is_empty() {
            return Err("at least one observable is needed".to_owned());
        }
        unique("column", self.named())?;
        unique("observable", self.observables.iter().map(|column| column.observable.as_str()))?;
        // One agent both by status and by dose would be given twice.
        let dosed: HashSet<&str> = self.doses.iter().map(|column| column.agent.as_str()).collect();
        unique("agent", self.therapies.iter().map(|column| column.agent.as_str()).chain(dosed))?;
        let day = Unit::parse("d").map_err(|error| error.to_string())?;
        if !self.time.unit.is_commensurable_with(&day) {
            return Err(format!("unit `{}` of the time is not a unit of time, such as `d`, `wk` or `mo`", self.time.unit.code()));
        }
        self.observables.iter().try_for_each(ObservableColumn::check)?;
        self.therapies.iter().try_for_each(|column| column.check(&self.missing))?;
        self.doses.iter().try_for_each(DoseColumn::check)
    }
}

impl ObservableColumn {
    /// A column of numbers in `unit`, none negative, none a limit.
    #[must_use]
    pub fn new(column: &str, observable: Observable, unit: Unit) -> Self {
        Self { column: column.to_owned(), observable, unit, censored: false, lower_limit: None, signed: false }
    }

    fn check(&self) -> Result<(), String> {
        match self.lower_limit {
            Some(limit) if !limit.is_finite() || (limit < 0.0 && !self.signed) => {
                Err(format!("the lower limit of column `{}` must be finite and not negative", self.column))
            }
            _ => Ok(()),
        }
    }
}

impl TherapyColumn {
    /// A column of `1` for on and `0` for off.
    #[must_use]
    pub fn new(column: &str, agent: Agent) -> Self {
        Self { column: column.to_owned(), agent, on: one(), off: zero() }
    }

    fn check(&self, missing: &[String]) -> Result<(), String> {
        let texts = self.on.iter().chain(&self.off).chain(missing).map(String::as_str);
        unique(&format!("text for on, off or missing in column `{}`:", self.column), texts)
    }
}

impl DoseColumn {
    /// A column of doses in `unit`.
    #[must_use]
    pub fn new(column: &str, agent: Agent, unit: Unit, route: Route) -> Self {
        Self { column: column.to_owned(), agent, unit, route }
    }

    fn check(&self) -> Result<(), String> {
        match self.route {
            Route::Infusion { duration } if !duration.is_positive() => {
                Err(format!("the infusion of column `{}` must last longer than nothing", self.column))
            }
            _ => Ok(()),
        }
    }
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} `{name}` is there twice"));
        }
    }
    Ok(())
}
