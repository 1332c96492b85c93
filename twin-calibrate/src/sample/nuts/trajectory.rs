//! One transition: a trajectory that doubles until it turns back.

use nalgebra::{DMatrix, DVector};
use twin_core::Random;

use crate::sample::gradient::slope;
use crate::sample::walker::LnDensity;

/// A place in phase space.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub point: DVector<f64>,
    pub momentum: DVector<f64>,
    /// The inverse metric times the momentum.
    pub velocity: DVector<f64>,
    pub gradient: DVector<f64>,
    pub ln_density: f64,
}

impl State {
    pub(super) fn new(dimension: usize) -> Self {
        let zero = DVector::zeros(dimension);
        let (point, momentum, velocity) = (zero.clone(), zero.clone(), zero.clone());
        Self { point, momentum, velocity, gradient: zero, ln_density: f64::NEG_INFINITY }
    }

    fn copy(&mut self, other: &Self) {
        self.point.copy_from(&other.point);
        self.momentum.copy_from(&other.momentum);
        self.velocity.copy_from(&other.velocity);
        self.gradient.copy_from(&other.gradient);
        self.ln_density = other.ln_density;
    }

    /// Kinetic minus the logarithm of the density.
    pub(super) fn energy(&self) -> f64 {
        0.5 * self.momentum.dot(&self.velocity) - self.ln_density
    }
}

/// The metric: the inverse mass matrix is the covariance of the density, as far as known.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    covariance: DMatrix<f64>,
    /// The transposed lower triangle of the covariance: solving with it turns normals into momenta.
    factor: DMatrix<f64>,
    /// The steps of differences.
    pub steps: Vec<f64>,
}

impl Metric {
    /// `None` if the covariance is not positive definite; `difference` is the step of differences in standard deviations.
    pub(super) fn new(covariance: DMatrix<f64>, difference: f64) -> Option<Self> {
        let steps = covariance.diagonal().iter().map(|variance| difference * variance.sqrt()).collect();
        let factor = covariance.clone().cholesky()?.l().transpose();
        Some(Self { covariance, factor, steps })
    }

    /// The variances along the coordinates.
    pub(super) fn variances(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.covariance.nrows()).map(|j| self.covariance[(j, j)])
    }

    /// Gives `state` a fresh momentum.
    pub(super) fn refresh(&self, state: &mut State, random: &mut Random) {
        for normal in state.momentum.iter_mut() {
            *normal = random.normal();
        }
        // The factor is a triangle without zeros on its diagonal, so this always succeeds.
        self.factor.solve_upper_triangular_mut(&mut state.momentum);
        self.set_velocity(state);
    }

    fn set_velocity(&self, state: &mut State) {
        state.velocity.gemv(1.0, &self.covariance, &state.momentum, 0.0);
    }
}

/// The density with everything a step needs.
pub(super) struct Field<'a> {
    pub target: &'a dyn LnDensity,
    pub metric: &'a Metric,
    pub step: f64,
}

impl Field<'_> {
    /// Evaluates density and gradient where `state` is.
    pub(super) fn settle(&self, state: &mut State, tally: &mut Tally) {
        let (point, gradient) = (state.point.as_mut_slice(), state.gradient.as_mut_slice());
        let (value, evaluations) = slope(self.target, point, &self.metric.steps, gradient);
        tally.evaluations += evaluations;
        tally.undefined += usize::from(value.is_nan() || value == f64::INFINITY);
        let usable = value.is_finite() && gradient.iter().all(|slope| slope.is_finite());
        state.ln_density = if usable { value } else { f64::NEG_INFINITY };
    }

    /// One leapfrog step, ahead or back.
    pub(super) fn leap(&self, state: &mut State, direction: f64, tally: &mut Tally) {
        let step = direction * self.step;
        state.momentum.axpy(0.5 * step, &state.gradient, 1.0);
        self.metric.set_velocity(state);
        state.point.axpy(step, &state.velocity, 1.0);
        self.settle(state, tally);
        if state.ln_density.is_finite() {
            state.momentum.axpy(0.5 * step, &state.gradient, 1.0);
            self.metric.set_velocity(state);
        }
    }
}

/// Counts of one chain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub evaluations: usize,
    pub undefined: usize,
}

/// A part of a trajectory: `2^depth` states.
#[derive(Debug)]
struct Tree {
    /// The first and the last state in the direction in which the part was built.
    first: State,
    last: State,
    /// The state that stands for the part.
    proposal: State,
    /// The sum of the momenta.
    sum: DVector<f64>,
    /// The logarithm of the sum of the weights.
    ln_weight: f64,
}

/// What a transition came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transition {
    /// The mean probability with which its states would have been accepted.
    pub acceptance: f64,
    /// Whether the energy ran off.
    pub diverged: bool,
    /// The energy at the beginning, with the fresh momentum.
    pub energy: f64,
}

/// Beyond this error of the energy a trajectory has left the density (Betancourt 2017).
const DIVERGENCE: f64 = 1000.0;

/// Room for trajectories, used again and again.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    states: Vec<State>,
    sums: Vec<DVector<f64>>,
}

/// A trajectory under way.
struct Journey<'a> {
    field: &'a Field<'a>,
    room: &'a mut Workspace,
    tally: &'a mut Tally,
    random: &'a mut Random,
    direction: f64,
    energy: f64,
    diverged: bool,
    accepted: f64,
    steps: usize,
}

fn ln_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// Whether a stretch with these ends and this sum of momenta has not turned back yet.
fn goes_on(sum: &DVector<f64>, first: &State, last: &State) -> bool {
    first.velocity.dot(sum) > 0.0 && last.velocity.dot(sum) > 0.0
}

impl Workspace {
    fn state(&mut self, like: &State) -> State {
        match self.states.pop() {
            Some(mut state) => {
                state.copy(like);
                state
            }
            None => like.clone(),
        }
    }

    fn sum(&mut self, like: &DVector<f64>) -> DVector<f64> {
        match self.sums.pop() {
            Some(mut sum) => {
                sum.copy_from(like);
                sum
            }
            None => like.clone(),
        }
    }

    fn give_back(&mut self, tree: Tree) {
        self.states.extend([tree.first, tree.last, tree.proposal]);
        self.sums.push(tree.sum);
    }
}

impl Journey<'_> {
    /// The part of `2^depth` states that follows `from`; `None` if it diverges or turns back within.
    fn build(&mut self, from: &State, depth: usize) -> Option<Tree> {
        if depth == 0 {
            return self.leaf(from);
        }
        let near = self.build(from, depth - 1)?;
        let Some(far) = self.build(&near.last, depth - 1) else {
            self.room.give_back(near);
            return None;
        };
        let ln_weight = ln_add(near.ln_weight, far.ln_weight);
        let take = self.random.uniform().ln() < far.ln_weight - ln_weight;
        self.join(near, far, take)
    }

    fn leaf(&mut self, from: &State) -> Option<Tree> {
        let mut state = self.room.state(from);
        self.field.leap(&mut state, self.direction, self.tally);
        let gain = self.energy - state.energy();
        self.steps += 1;
        // A comparison that is false for NaN too.
        if gain.is_nan() || gain <= -DIVERGENCE {
            self.diverged = true;
            self.room.states.push(state);
            return None;
        }
        self.accepted += gain.min(0.0).exp();
        let (last, proposal, sum) = (self.room.state(&state), self.room.state(&state), self.room.sum(&state.momentum));
        Some(Tree { first: state, last, proposal, sum, ln_weight: gain })
    }

    /// Both parts as one, the proposal that of `far` if it is taken; `None` if the whole turns back, or does so where they meet.
    fn join(&mut self, near: Tree, far: Tree, take: bool) -> Option<Tree> {
        let mut sum = self.room.sum(&near.sum);
        sum += &far.sum;
        // Momenta are those ahead in time even where the part was built back in time: both products keep their sign.
        let mut whole = goes_on(&sum, &near.first, &far.last);
        // From the near part to the first state of the far one, and from the last of the near to the far part.
        sum.copy_from(&near.sum);
        sum += &far.first.momentum;
        whole &= goes_on(&sum, &near.first, &far.first);
        sum.copy_from(&far.sum);
        sum += &near.last.momentum;
        whole &= goes_on(&sum, &near.last, &far.last);
        sum.copy_from(&near.sum);
        sum += &far.sum;
        let ln_weight = ln_add(near.ln_weight, far.ln_weight);
        let (proposal, other) = if take { (far.proposal, near.proposal) } else { (near.proposal, far.proposal) };
        self.room.states.extend([near.last, far.first, other]);
        self.room.sums.extend([near.sum, far.sum]);
        let joined = Tree { first: near.first, last: far.last, proposal, sum, ln_weight };
        if whole {
            return Some(joined);
        }
        self.room.give_back(joined);
        None
    }
}

/// One transition of the no-U-turn sampler from `state`, whose density and gradient are known, of at most `2^depth` steps; the new state is
/// left in `state`. It is drawn from the whole trajectory with the weights of its states (Betancourt 2017, appendix A.3).
pub(super) fn transition(
    field: &Field<'_>,
    state: &mut State,
    depth: usize,
    room: &mut Workspace,
    tally: &mut Tally,
    random: &mut Random,
) -> Transition {
    field.metric.refresh(state, random);
    let energy = state.energy();
    let (mut left, mut right) = (room.state(state), room.state(state));
    let mut sum = room.sum(&state.momentum);
    let mut ln_weight = 0.0;
    let mut journey = Journey { field, room, tally, random, direction: 1.0, energy, diverged: false, accepted: 0.0, steps: 0 };
    for level in 0..depth {
        let ahead = journey.random.uniform() < 0.5;
        journey.direction = if ahead { 1.0 } else { -1.0 };
        let Some(next) = journey.build(if ahead { &right } else { &left }, level) else { break };
        // Progress is preferred: the new half is taken with the ratio of the weights.
        if journey.random.uniform().ln() < next.ln_weight - ln_weight {
            state.copy(&next.proposal);
        }
        ln_weight = ln_add(ln_weight, next.ln_weight);
        let (outer, inner) = if ahead { (&left, &right) } else { (&right, &left) };
        let mut joined = journey.room.sum(&sum);
        joined += &next.sum;
        let mut whole = goes_on(&joined, outer, &next.last);
        joined.copy_from(&sum);
        joined += &next.first.momentum;
        whole &= goes_on(&joined, outer, &next.first);
        joined.copy_from(&next.sum);
        joined += &inner.momentum;
        whole &= goes_on(&joined, inner, &next.last);
        journey.room.sums.push(joined);
        sum += &next.sum;
        if ahead {
            right.copy(&next.last)
        } else {
            left.copy(&next.last)
        }
        journey.room.give_back(next);
        if !whole {
            break;
        }
    }
    let acceptance = if journey.steps > 0 { journey.accepted / journey.steps as f64 } else { 0.0 };
    let diverged = journey.diverged;
    room.states.extend([left, right]);
    room.sums.push(sum);
    Transition { acceptance, diverged, energy }
}
