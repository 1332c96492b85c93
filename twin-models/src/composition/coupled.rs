//! Two scales of time: a fast model drives the rates of a slow one, each with its own steps.

use crate::{Model, ModelSpec, Parameters, Simulation, SimulationError, Source, TreatmentKind, TreatmentSpec};
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use twin_core::{Agent, Observable, Proportion, Random, Span, Time, Treatment};

/// A fast model, such as a molecular pathway over hours, and a slow one, such as a tumor over weeks, as one model: an observable of the fast
/// one, the *signal*, is the intensity of a continuous treatment of the slow one.
///
/// Both may be of any kind (an ordinary differential equation, a spatial model, a composed model), and each integrates itself with its own
/// steps and its own control of error. The slow one is given the mean of the signal over pieces of time, and the pieces are as short as it
/// takes: a piece is done as a whole and in halves, and what differs, in the states of the slow model, stays below the tolerance.
///
/// # Equation
/// `y' = f(y)` (fast), `x' = g(x, s(y))` (slow), with the signal `s` in pieces; the error falls with the square of their length.
///
/// # States
/// Those of the fast model and then those of the slow one.
///
/// # Treatments
/// Those of both but for the driven one; a treatment that both understand acts in both.
///
/// # Assumptions
/// The slow model does not act back on the fast one while a course runs.
///
/// # Valid for
/// A signal from 0 (nothing) to 1 (all), as intensities are.
///
/// # Source
/// Splitting of scales with step doubling: Hairer, Nørsett and Wanner, *Solving Ordinary Differential Equations I*, section II.4.
///
/// # Example
/// See [`Description`](super::Description): `exponential + pathway(galunisertib)`.
#[derive(Debug)]
pub struct Coupled {
    spec: Arc<ModelSpec>,
    fast: Arc<dyn Model>,
    slow: Arc<dyn Model>,
    signal: usize,
    drive: Agent,
    relative_tolerance: f64,
}

impl Coupled {
    /// The model `id` in which `signal` of `fast` is the intensity of continuous therapy with `drive` in `slow`.
    ///
    /// # Errors
    /// [`SimulationError::Specification`] that names what does not fit: an observable that the fast model does not have, a treatment that
    /// the slow one does not understand, the same parameter, state or observable in both, one treatment in two units.
    pub fn new(
        id: &str,
        fast: Arc<dyn Model>,
        slow: Arc<dyn Model>,
        signal: &Observable,
        drive: &Agent,
    ) -> Result<Self, SimulationError> {
        let fault = |detail: String| SimulationError::Specification { model: id.to_owned(), detail };
        let index = fast.spec().index_of(signal).map_err(|error| fault(error.to_string()))?;
        let driven = TreatmentSpec { kind: TreatmentKind::Continuous, agent: Some(drive.clone()), unit: None, target: None };
        if !slow.spec().treatments.contains(&driven) {
            let understood = slow.spec().understood();
            return Err(fault(format!("`{}` is driven by {drive}, but it understands: {understood}", slow.spec().id)));
        }
        let spec = joined(id, fast.spec(), slow.spec(), &driven).map_err(fault)?;
        Ok(Self { spec: Arc::new(spec), fast, slow, signal: index, drive: drive.clone(), relative_tolerance: 1e-6 })
    }

    /// The same with a relative tolerance of the coupling, 1e-6 otherwise; the models keep their own.
    #[must_use]
    pub const fn with_relative_tolerance(mut self, tolerance: f64) -> Self {
        self.relative_tolerance = tolerance;
        self
    }
}

/// The specification of both models together.
fn joined(id: &str, fast: &ModelSpec, slow: &ModelSpec, driven: &TreatmentSpec) -> Result<ModelSpec, String> {
    let mut spec = ModelSpec {
        id: id.to_owned(),
        title: format!("{}, driven by {}", slow.title, fast.title),
        source: Source::assumed("two models on their own scales; each has its source"),
        parameters: fast.parameters.clone(),
        states: fast.states.clone(),
        observables: fast.observables.clone(),
        treatments: fast.treatments.clone(),
    };
    spec.parameters.extend(slow.parameters.iter().cloned());
    spec.states.extend(slow.states.iter().cloned());
    spec.observables.extend(slow.observables.iter().cloned());
    spec.treatments.extend(slow.treatments.iter().filter(|known| *known != driven && !fast.treatments.contains(known)).cloned());
    let unique = |what: &str, names: &mut dyn Iterator<Item = String>| {
        let mut seen = BTreeSet::new();
        let mut twice = names.filter(|name| !seen.insert(name.clone()));
        twice.next().map_or(Ok(()), |name| Err(format!("both scales have the {what} `{name}`")))
    };
    unique("parameter", &mut spec.parameters.iter().map(|parameter| parameter.name.to_string()))?;
    unique("state", &mut spec.states.iter().map(|state| state.name.to_string()))?;
    unique("observable", &mut spec.observables.iter().map(|known| known.observable.to_string()))?;
    let of_drug = |known: &TreatmentSpec| format!("{:?} {}", known.kind, known.agent.as_ref().map_or("", |agent| agent.as_str()));
    unique("treatment in two units,", &mut spec.treatments.iter().map(of_drug))?;
    Ok(spec)
}

impl Model for Coupled {
    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn start(&self, parameters: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        self.spec.accept(parameters)?;
        let (of_fast, of_slow) = parameters.values().split_at(self.fast.spec().parameters.len().min(parameters.values().len()));
        let fast = self.fast.start(&self.fast.spec().values(of_fast.to_vec())?, at, random)?;
        let slow = self.slow.start(&self.slow.spec().values(of_slow.to_vec())?, at, random)?;
        let settings = Settings {
            spec: Arc::clone(&self.spec),
            fast: Arc::clone(self.fast.spec()),
            slow: Arc::clone(self.slow.spec()),
            signal: self.signal,
            drive: self.drive.clone(),
            relative_tolerance: self.relative_tolerance,
        };
        let end = Both { at, fast: fast.fork(), slow: slow.fork() };
        let (now, settings) = (Both { at, fast, slow }, Arc::new(settings));
        Ok(Box::new(CoupledSimulation {
            settings,
            now,
            end,
            pieces: VecDeque::new(),
            length: FIRST_PIECE,
            intensities: Vec::new(),
        }))
    }
}

/// The first piece after the start and after every treatment, in days: a minute and a half, far below the scales of pathways.
const FIRST_PIECE: f64 = 1e-3;
/// The longest piece, in days.
const LONGEST_PIECE: f64 = 10.0;

/// Places of the three-point rule of Gauss and Legendre in the interval from 0 to 1, and its weights.
const NODES: [f64; 3] = [0.112_701_665_379_258_3, 0.5, 0.887_298_334_620_741_7];
const WEIGHTS: [f64; 3] = [5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0];

#[derive(Debug)]
struct Settings {
    spec: Arc<ModelSpec>,
    fast: Arc<ModelSpec>,
    slow: Arc<ModelSpec>,
    signal: usize,
    drive: Agent,
    relative_tolerance: f64,
}

impl Settings {
    /// The signal of a fast course, of which a rounding beyond 0 or 1 is none.
    fn signal(&self, fast: &dyn Simulation) -> Result<f64, SimulationError> {
        let mut seen = vec![0.0; self.fast.observables.len()];
        fast.observe(&mut seen);
        let (spec, value) = match (self.fast.observables.get(self.signal), seen.get(self.signal)) {
            (Some(spec), Some(&value)) => (spec, value),
            _ => (self.missing()?, f64::NAN),
        };
        let rounding = spec.absolute_tolerance.max(1e-9);
        if value < 0.0 && value >= -rounding {
            return Ok(0.0);
        }
        if value > 1.0 && value <= 1.0 + rounding {
            return Ok(1.0);
        }
        Ok(Proportion::new(value)?.value())
    }

    fn missing(&self) -> Result<&crate::ObservableSpec, SimulationError> {
        let detail = "the signal is not among its observables".to_owned();
        Err(SimulationError::Specification { model: self.spec.id.clone(), detail })
    }

    /// Drives a slow course at `level`.
    fn drive(&self, slow: &mut dyn Simulation, level: f64) -> Result<(), SimulationError> {
        slow.treat(&Treatment::Continuous { agent: self.drive.clone(), intensity: Proportion::new(level)? })
    }

    /// What tells courses of the slow model apart, with the absolute tolerance of each: its states, or its observables if it shows none.
    fn seen(&self, slow: &dyn Simulation) -> Vec<(f64, f64)> {
        if let Some(state) = slow.state() {
            return state.iter().copied().zip(self.slow.states.iter().map(|state| state.absolute_tolerance)).collect();
        }
        let mut seen = vec![0.0; self.slow.observables.len()];
        slow.observe(&mut seen);
        seen.into_iter().zip(self.slow.observables.iter().map(|known| known.absolute_tolerance)).collect()
    }

    /// How far two courses of the slow model are apart, in units of the tolerance.
    fn apart(&self, one: &dyn Simulation, other: &dyn Simulation) -> f64 {
        let gap = |((a, absolute), (b, _)): ((f64, f64), (f64, f64))| {
            let allowed = absolute + self.relative_tolerance * a.abs().max(b.abs());
            if (a - b).abs() > 0.0 { (a - b).abs() / allowed } else { 0.0 }
        };
        self.seen(one)
            .into_iter()
            .zip(self.seen(other))
            .map(gap)
            .fold(0.0, |most, gap| if gap > most || gap.is_nan() { gap } else { most })
    }
}

/// Both courses at one time.
struct Both {
    at: Time,
    fast: Box<dyn Simulation>,
    slow: Box<dyn Simulation>,
}

impl Both {
    fn fork(&self) -> Self {
        Self { at: self.at, fast: self.fast.fork(), slow: self.slow.fork() }
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        self.fast.advance(to)?;
        self.slow.advance(to)?;
        self.at = to;
        Ok(())
    }
}

/// Both courses at the start of a piece, the slow one driven at the mean of the signal over it; and its end.
struct Piece {
    start: Both,
    end: Time,
}

struct CoupledSimulation {
    settings: Arc<Settings>,
    now: Both,
    /// Pieces that are done, from the one with `now` in it.
    pieces: VecDeque<Piece>,
    /// Where the last piece ends, or where the course stands if there is none.
    end: Both,
    /// The length to try next, in days.
    length: f64,
    /// Continuous therapies that were set, and to what.
    intensities: Vec<(Agent, f64)>,
}

impl CoupledSimulation {
    /// Does the next two pieces, the halves of one that is short enough.
    fn go_on(&mut self) -> Result<(), SimulationError> {
        loop {
            let (length, start) = (self.length, self.end.at);
            let at = |share: f64| Ok::<_, SimulationError>(start + Span::from_days(share * length)?);
            let (middle, end) = (at(0.5)?, at(1.0)?);
            if !(start < middle && middle < end) {
                let model = self.settings.spec.id.clone();
                return Err(SimulationError::StepTooSmall { model, state: "the driven ones".to_owned(), day: start.days() });
            }
            // The signal at the nodes of the whole and of both halves, in the order of time, and the fast course in the middle.
            let mut nodes: Vec<(f64, usize, f64)> = Vec::with_capacity(9);
            for (node, weight) in NODES.into_iter().zip(WEIGHTS) {
                nodes.extend([(node, 0, weight), (0.5 * node, 1, weight), (0.5 + 0.5 * node, 2, weight)]);
            }
            nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (mut fast, mut halfway, mut means) = (self.end.fast.fork(), None, [0.0; 3]);
            for (node, of, weight) in nodes {
                if node >= 0.5 && halfway.is_none() {
                    fast.advance(middle)?;
                    halfway = Some(fast.fork());
                }
                let to = if (node - 0.5).abs() > 0.0 { at(node)? } else { middle };
                fast.advance(to)?;
                if let Some(mean) = means.get_mut(of) {
                    *mean += weight * self.settings.signal(fast.as_ref())?;
                }
            }
            fast.advance(end)?;
            let Some(halfway) = halfway else { return self.settings.missing().map(|_| ()) };
            let [whole, first, second] = means.map(|mean: f64| mean.min(1.0)); // weights sum to 1 but for rounding
            let mut coarse = self.end.slow.fork();
            self.settings.drive(coarse.as_mut(), whole)?;
            coarse.advance(end)?;
            let mut slow = self.end.slow.fork();
            self.settings.drive(slow.as_mut(), first)?;
            let driven_first = slow.fork();
            slow.advance(middle)?;
            self.settings.drive(slow.as_mut(), second)?;
            let driven_second = slow.fork();
            slow.advance(end)?;
            // Halves are better than the whole by a factor of four: what differs is three times their error.
            let error = self.settings.apart(coarse.as_ref(), slow.as_ref()) / 3.0;
            let factor = if error > 0.0 { (0.9 * error.powf(-1.0 / 3.0)).clamp(0.2, 3.0) } else { 3.0 };
            self.length = (length * factor).min(LONGEST_PIECE);
            if error <= 1.0 {
                let first = Both { at: start, fast: self.end.fast.fork(), slow: driven_first };
                self.pieces.push_back(Piece { start: first, end: middle });
                self.pieces.push_back(Piece { start: Both { at: middle, fast: halfway, slow: driven_second }, end });
                self.end = Both { at: end, fast, slow };
                return Ok(());
            }
            if error.is_nan() {
                self.length = 0.2 * length;
            }
        }
    }

    /// Whether `treatment` changes nothing: no dose, or continuous therapy as it is.
    fn is_nothing(&self, treatment: &Treatment) -> bool {
        match treatment {
            Treatment::Fraction(fraction) => fraction.dose.gray() <= 0.0,
            Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } | Treatment::Oral { dose, .. } => dose.value() <= 0.0,
            Treatment::Surgery { extent, .. } => extent.value() <= 0.0,
            Treatment::Continuous { agent, intensity } => {
                let known = self.intensities.iter().find(|(known, _)| known == agent).map_or(0.0, |(_, intensity)| *intensity);
                (known - intensity.value()).abs() <= 0.0
            }
            _ => false,
        }
    }
}

impl Simulation for CoupledSimulation {
    fn now(&self) -> Time {
        self.now.at
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        if to < self.now.at {
            return Err(SimulationError::Backward { model: self.settings.spec.id.clone(), now: self.now.at, to });
        }
        while self.end.at < to {
            self.go_on()?;
        }
        while self.pieces.front().is_some_and(|piece| piece.end < to) {
            self.pieces.pop_front();
        }
        // From the start of the piece, so that earlier looks leave no trace.
        if let Some(piece) = self.pieces.front() {
            let mut now = piece.start.fork();
            now.advance(to)?;
            self.now = now;
        }
        Ok(())
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        let spec = &self.settings.spec;
        spec.place_of(treatment).ok_or_else(|| spec.refusal(treatment, self.now.at))?;
        let mut now = self.now.fork();
        if self.settings.fast.place_of(treatment).is_some() {
            now.fast.treat(treatment)?;
        }
        if self.settings.slow.place_of(treatment).is_some() {
            now.slow.treat(treatment)?;
        }
        if self.is_nothing(treatment) {
            return Ok(());
        }
        if let Treatment::Continuous { agent, intensity } = treatment {
            self.intensities.retain(|(known, _)| known != agent);
            self.intensities.push((agent.clone(), intensity.value()));
        }
        self.pieces.clear();
        self.end = now.fork();
        self.now = now;
        self.length = FIRST_PIECE;
        Ok(())
    }

    fn observe(&self, y: &mut [f64]) {
        let count = self.settings.fast.observables.len().min(y.len());
        let (of_fast, of_slow) = y.split_at_mut(count);
        self.now.fast.observe(of_fast);
        self.now.slow.observe(of_slow);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        let piece = |piece: &Piece| Piece { start: piece.start.fork(), end: piece.end };
        Box::new(Self {
            settings: Arc::clone(&self.settings),
            now: self.now.fork(),
            pieces: self.pieces.iter().map(piece).collect(),
            end: self.end.fork(),
            length: self.length,
            intensities: self.intensities.clone(),
        })
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        let (fast, slow) = (self.now.fast.state()?, self.now.slow.state()?);
        Some(Cow::Owned(fast.iter().chain(slow.iter()).copied().collect()))
    }
}
