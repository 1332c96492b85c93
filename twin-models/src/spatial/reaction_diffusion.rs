//! The model: an anatomy, a growth law, and what is done to the tumor.

use super::anatomy::Anatomy;
use super::drug::Drug;
use super::growth::Law;
use super::lattice::{Lattice, Sparse};
use super::number::Real;
use super::oxygen::{Oxygen, Tissue};
use super::simulation::Course;
use super::values::Values;
use crate::{Model, ModelSpec, ParameterSpec, Parameters, Simulation, SimulationError, Source, parameters};
use std::sync::{Arc, OnceLock};
use twin_core::{Observable, Random, Span, Time, Unit};

const CHOICE: Source = Source::assumed("a mid-range value; fit it to the patient");
const SWANSON: Source = Source::unconfirmed("Swanson et al. 2000, doi:10.1046/j.1365-2184.2000.00177.x, gray matter: 0.0013 cm2/d");
const VISIBLE: Source = Source::unconfirmed("Swanson et al. 2000, doi:10.1046/j.1365-2184.2000.00177.x");

parameters! {
    /// What every spatial model has, before its growth law.
    pub(super) struct Movement {
        diffusivity: "mm2/d" in 0.0..=2.0, default 0.13, "Diffusivity of the cells where the relative diffusivity is 1", SWANSON;
    }
}

parameters! {
    /// What every spatial model has, after its growth law.
    pub(super) struct Radiation {
        radiosensitivity: "Gy-1" in 0.0..=0.5, default 0.05, "Linear coefficient of the linear-quadratic law", CHOICE;
        alpha_beta_ratio: "Gy" in 1.0..=20.0, default 10.0, "Ratio of the linear to the quadratic coefficient",
            Source::assumed("the customary value for rapidly growing tumors");
    }
}

/// How diffusion is solved over a step. Both are of second order, lose no cell and make no cellularity negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Two stages, in as many pieces as keep each within the limit of Euler's method: the reference.
    RungeKutta,
    /// The Runge-Kutta-Legendre method, as many stages as the step needs. Where the field is so rough that a cellularity would become
    /// negative, that step is taken in pieces as by [`Method::RungeKutta`].
    ///
    /// Meyer, Balsara and Aslam 2014, doi:10.1016/j.jcp.2013.08.021.
    #[default]
    RungeKuttaLegendre,
}

/// How a spatial model is solved and looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The longest step, longer than nothing. The error of a course falls with its square. Steps end at treatments too.
    pub longest_step: Span,
    /// The largest error that one step may make, as a share of the field (roots of sums of squares over the voxels), above 0: steps of at most
    /// the longest one are then chosen so that two of half the length differ from one by no more than this error comes to.
    /// [`Course::estimated_error`] adds up what they make. `None` for steps of equal length.
    pub error_per_step: Option<f64>,
    /// How diffusion is solved.
    pub method: Method,
    /// Work is done only where there is a cell at the start, where the cellularity comes to lie above this share, and around; 0 does it
    /// wherever there is a cell. What is neglected is bounded by [`Course::neglected`].
    pub active_above: f64,
    /// Cells in one mm³ at a cellularity of 1.
    pub cells_per_mm3: f64,
    /// The cellularity above which a tumor enhances on T1-weighted images with gadolinium.
    pub visible_on_t1_gd: f64,
    /// The cellularity above which a tumor is seen on T2-weighted and FLAIR images.
    pub visible_on_flair: f64,
}

impl Settings {
    /// Where the defaults of the visibility thresholds come from.
    pub const VISIBILITY: Source = VISIBLE;
}

impl Default for Settings {
    /// Steps of a day, 750,000 cells in a mm³ (cells of 10 µm that take three quarters of the space; assumed), visible above 0.8
    /// and 0.16 ([`Settings::VISIBILITY`]).
    fn default() -> Self {
        Self {
            longest_step: Span::DAY,
            error_per_step: None,
            method: Method::default(),
            active_above: 1e-12,
            cells_per_mm3: 7.5e5,
            visible_on_t1_gd: 0.8,
            visible_on_flair: 0.16,
        }
    }
}

/// A tumor that grows and spreads in an [`Anatomy`], a [`Model`].
///
/// # Equation
/// `∂c/∂t = ∇·(D ∇c) + c G(c) − c Σ kᵢ aᵢ(t)` with the cellularity `c`, a share of the densest packing, the growth law `G` of `L`, and
/// drugs in the amounts `aᵢ`; no flux through the border of the region. A fraction of `d` Gy leaves the share `exp(−α d − d² α/(α/β))`.
///
/// # Treatments
/// Fractions; surgery; the drugs of [`ReactionDiffusion::with_drug`].
///
/// ```
/// use twin_core::{Grid, Mask, Random, ScalarField, Time, Unit};
/// use twin_models::{Model, spatial::{Anatomy, LogisticGrowth, ReactionDiffusion}};
/// let grid = Grid::new([30, 30, 30], [2.0; 3])?;
/// let mut cells = vec![0.0; grid.voxels()];
/// cells[15 + 30 * (15 + 30 * 15)] = 0.8;
/// let anatomy = Anatomy::new(Mask::whole(grid.clone()), &ScalarField::on(grid, Unit::dimensionless(), cells)?)?;
/// let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy);
/// let mut course = model.start(&model.spec().defaults()?, Time::ORIGIN, &mut Random::new(0))?;
/// let (mut before, mut after) = ([0.0], [0.0]);
/// course.observe(&mut before);
/// course.advance(Time::from_days(30.0)?)?;
/// course.observe(&mut after);
/// assert!(after[0] > 3.0 * before[0]);
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ReactionDiffusion<L, T = f64> {
    anatomy: Arc<Anatomy>,
    drugs: Vec<Drug>,
    settings: Settings,
    spec: Arc<ModelSpec>,
    offers_voxels: bool,
    oxygen: Option<Oxygen>,
    prepared: OnceLock<Result<Arc<Prepared<T>>, SimulationError>>,
    law: std::marker::PhantomData<fn() -> L>,
}

/// What all courses of a model share.
#[derive(Debug)]
pub(super) struct Prepared<T> {
    pub(super) anatomy: Arc<Anatomy>,
    pub(super) lattice: Arc<Lattice<T>>,
    pub(super) initial: Sparse<T>,
    /// The dose in each voxel of the box, as a multiple of the prescribed one.
    pub(super) dose: Option<Vec<T>>,
    pub(super) oxygen: Option<Tissue>,
    /// 1 in each voxel of the box that surgery empties, else 0.
    pub(super) cavity: Option<Vec<T>>,
    /// The unit of each treatment of the specification.
    pub(super) units: Vec<Option<Unit>>,
    pub(super) settings: Settings,
    pub(super) spec: Arc<ModelSpec>,
    pub(super) offers_voxels: bool,
}

impl<T: Real> Prepared<T> {
    /// What the voxel at a place of the box counts for in sums over all: its volume where voxels are shells, else 1.
    pub(super) fn share(&self, place: usize) -> f64 {
        if self.anatomy.is_of_shells() { self.anatomy.volume_mm3(self.lattice.of_grid(place)) } else { 1.0 }
    }
}

impl<L: Law, T: Real> ReactionDiffusion<L, T> {
    /// A model on `anatomy`, understanding fractions and surgery.
    #[must_use]
    pub fn new(anatomy: Anatomy) -> Self {
        let mut model = Self {
            anatomy: Arc::new(anatomy),
            drugs: Vec::new(),
            settings: Settings::default(),
            spec: Arc::new(ModelSpec::new::<Movement>(L::ID, L::TITLE, L::SOURCE)),
            offers_voxels: false,
            oxygen: None,
            prepared: OnceLock::new(),
            law: std::marker::PhantomData,
        };
        model.respecify();
        model
    }

    /// The same model under `drug` too.
    #[must_use]
    pub fn with_drug(mut self, drug: Drug) -> Self {
        self.drugs.push(drug);
        self.respecify();
        self
    }

    /// The same model, in which fractions act by the oxygen in each voxel at that time.
    #[must_use]
    pub fn with_oxygen(mut self, oxygen: Oxygen) -> Self {
        self.oxygen = Some(oxygen);
        self.respecify();
        self
    }

    /// The oxygen, if fractions act by it.
    #[must_use]
    pub fn oxygen(&self) -> Option<&Oxygen> {
        self.oxygen.as_ref()
    }

    /// The same model, solved and looked at with other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self.respecify();
        self
    }

    /// The same model offering the cellularity of every voxel of the region as a state, for filters on coarse grids.
    #[must_use]
    pub fn with_voxel_states(mut self) -> Self {
        self.offers_voxels = true;
        self.respecify();
        self
    }

    /// The same model computed in `f32`: half the memory, and an error of about 1e-6 from rounding.
    #[must_use]
    pub fn in_single_precision(self) -> ReactionDiffusion<L, f32> {
        ReactionDiffusion {
            anatomy: self.anatomy,
            drugs: self.drugs,
            settings: self.settings,
            spec: self.spec,
            offers_voxels: self.offers_voxels,
            oxygen: self.oxygen,
            prepared: OnceLock::new(),
            law: std::marker::PhantomData,
        }
    }

    /// The anatomy.
    #[must_use]
    pub fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn respecify(&mut self) {
        use crate::ParameterSet;
        let mut spec = ModelSpec::new::<Movement>(L::ID, L::TITLE, L::SOURCE)
            .observes(Observable::TUMOR_CELL_COUNT, "1")
            .observes(Observable::TUMOR_VOLUME, "mm3")
            .observes(Observable::ENHANCING_VOLUME, "mm3")
            .understands_fractions()
            .understands_surgery();
        spec.parameters.extend(L::specs());
        spec.parameters.extend(Radiation::specs());
        for drug in &self.drugs {
            let named = |what: &str, unit: String, (low, high, default): (f64, f64, f64), description: &str| ParameterSpec {
                name: format!("{what}_{}", drug.suffix()).into(),
                unit: unit.into(),
                low,
                high,
                default,
                description: format!("{description} {}", drug.agent).into(),
                source: CHOICE,
            };
            let per_unit = drug.unit.map_or_else(|| "/d".to_owned(), |unit| format!("/d/({unit})"));
            spec.parameters.push(named("kill_rate", per_unit, (0.0, 1.0, 0.01), "Kill rate by one unit of"));
            match drug.unit {
                Some(unit) => {
                    spec.parameters.push(named("elimination_rate", "/d".to_owned(), (0.01, 50.0, 1.0), "Elimination rate of"));
                    spec = spec.understands_drug(drug.kind, &drug.agent, unit);
                }
                None => spec = spec.understands_continuous(&drug.agent),
            }
        }
        if self.offers_voxels {
            let grid = self.anatomy.grid();
            for index in (0..grid.voxels()).filter(|&index| self.anatomy.region().contains(index)) {
                let [i, j, k] = grid.voxel(index).unwrap_or_default();
                let name = format!("cellularity_{i}_{j}_{k}").into();
                let state = crate::StateSpec { name, unit: "1".into(), low: 0.0, high: f64::INFINITY, absolute_tolerance: 1e-12 };
                spec.states.push(state);
            }
        }
        self.spec = Arc::new(spec);
        self.prepared = OnceLock::new();
    }

    pub(super) fn prepare(&self) -> Result<Arc<Prepared<T>>, SimulationError> {
        self.prepared.get_or_init(|| self.check().map(Arc::new)).clone()
    }

    fn check(&self) -> Result<Prepared<T>, SimulationError> {
        let fault = |detail: String| SimulationError::Specification { model: self.spec.id.clone(), detail };
        let settings = &self.settings;
        if !settings.longest_step.is_positive() {
            return Err(fault(format!("a longest step of {}, but it must be longer than nothing", settings.longest_step)));
        }
        for (what, value, high) in [
            ("active_above", settings.active_above, 1e-3),
            ("visible_on_t1_gd", settings.visible_on_t1_gd, 1.0),
            ("visible_on_flair", settings.visible_on_flair, 1.0),
        ] {
            if !(0.0..=high).contains(&value) {
                return Err(fault(format!("{what} is {value}, but must lie between 0 and {high}")));
            }
        }
        if let Some(tolerated) = settings.error_per_step
            && !(tolerated > 0.0 && tolerated < 1.0)
        {
            return Err(fault(format!("error_per_step is {tolerated}, but must lie between 0 and 1")));
        }
        if !(settings.cells_per_mm3 > 0.0 && settings.cells_per_mm3.is_finite()) {
            return Err(fault(format!("cells_per_mm3 is {}, but must be above 0", settings.cells_per_mm3)));
        }
        if let Some(detail) = self.oxygen.and_then(|oxygen| oxygen.fault()) {
            return Err(fault(format!("oxygen: {detail}")));
        }
        for (index, drug) in self.drugs.iter().enumerate() {
            if self.drugs.iter().take(index).any(|other| other.suffix() == drug.suffix()) {
                return Err(fault(format!("`{}` is among its drugs twice", drug.agent)));
            }
        }
        let unit = |code: &Option<std::borrow::Cow<'static, str>>| code.as_ref().map(|code| code.parse::<Unit>()).transpose();
        let units = self.spec.treatments.iter().map(|known| unit(&known.unit)).collect::<Result<Vec<_>, _>>()?;
        let lattice = Lattice::new(&self.anatomy);
        let cavity =
            |region: &twin_core::Mask| -> Vec<f64> { region.inside().iter().map(|&inside| f64::from(u8::from(inside))).collect() };
        Ok(Prepared {
            initial: lattice.gather_sparse(self.anatomy.cellularity()),
            oxygen: self.oxygen.map(|oxygen| Tissue::new(oxygen, &self.anatomy)),
            dose: self.anatomy.relative_dose().map(|dose| lattice.gather(dose)),
            cavity: self.anatomy.resection().map(|region| lattice.gather(&cavity(region))),
            lattice: Arc::new(lattice),
            anatomy: Arc::clone(&self.anatomy),
            units,
            settings: settings.clone(),
            spec: Arc::clone(&self.spec),
            offers_voxels: self.offers_voxels,
        })
    }

    /// Starts a course whose type is known.
    ///
    /// # Errors
    /// As [`Model::start`].
    pub fn start_static(&self, parameters: &Parameters, at: Time) -> Result<Course<L, T>, SimulationError> {
        let prepared = self.prepare()?;
        self.spec.accept(parameters)?;
        let values = Values::read(parameters.values(), &self.drugs).ok_or_else(|| SimulationError::Specification {
            model: self.spec.id.clone(),
            detail: "its parameters do not match its specification".to_owned(),
        })?;
        Ok(Course::new(prepared, values, at))
    }
}

impl<L: Law, T: Real> Model for ReactionDiffusion<L, T> {
    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn start(&self, parameters: &Parameters, at: Time, _random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        Ok(Box::new(self.start_static(parameters, at)?))
    }
}
