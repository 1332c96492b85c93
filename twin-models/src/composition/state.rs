//! Where the states of a composed model lie.

use std::fmt::Debug;

/// Room for the states of a composed model: an array where their number is known, [`UpTo`] where it is not.
pub trait States: Clone + AsRef<[f64]> + AsMut<[f64]> + Send + Sync + Debug + 'static {
    /// The greatest number of states that there is room for; for an array the only one.
    const ROOM: usize;
    /// Whether it must be that number.
    const EXACTLY: bool;

    /// Room for `states` states, all 0; `None` if there is not that room.
    fn zeros(states: usize) -> Option<Self>;
}

impl<const N: usize> States for [f64; N]
where
    Self: AsRef<[f64]> + AsMut<[f64]>,
{
    const ROOM: usize = N;
    const EXACTLY: bool = true;

    fn zeros(states: usize) -> Option<Self> {
        (states == N).then_some([0.0; N])
    }
}

/// Up to `N` states, their number told at run time; never on the heap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpTo<const N: usize> {
    values: [f64; N],
    count: usize,
}

impl<const N: usize> AsRef<[f64]> for UpTo<N> {
    #[inline]
    fn as_ref(&self) -> &[f64] {
        &self.values[..self.count]
    }
}

impl<const N: usize> AsMut<[f64]> for UpTo<N> {
    #[inline]
    fn as_mut(&mut self) -> &mut [f64] {
        &mut self.values[..self.count]
    }
}

impl<const N: usize> States for UpTo<N> {
    const ROOM: usize = N;
    const EXACTLY: bool = false;

    fn zeros(states: usize) -> Option<Self> {
        (states <= N).then_some(Self { values: [0.0; N], count: states })
    }
}
