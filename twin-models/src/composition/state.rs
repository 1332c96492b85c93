//! Where the states of a composed model lie.

use crate::{Scalar, StateSpace};

/// Room for the states of a composed model: an array where their number is known, [`UpTo`] where it is not.
pub trait States: StateSpace {
    /// The greatest number of states that there is room for; for an array the only one.
    const ROOM: usize;
    /// Whether it must be that number.
    const EXACTLY: bool;

    /// Room for `states` states, all 0; `None` if there is not that room.
    fn zeros(states: usize) -> Option<Self::Of<f64>>;
}

impl<const N: usize> States for [f64; N] {
    const ROOM: usize = N;
    const EXACTLY: bool = true;

    fn zeros(states: usize) -> Option<Self> {
        (states == N).then_some([0.0; N])
    }
}

/// Up to `N` states, their number told at run time; never on the heap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpTo<const N: usize, T = f64> {
    values: [T; N],
    count: usize,
}

impl<const N: usize, T> AsRef<[T]> for UpTo<N, T> {
    #[inline]
    fn as_ref(&self) -> &[T] {
        &self.values[..self.count]
    }
}

impl<const N: usize, T> AsMut<[T]> for UpTo<N, T> {
    #[inline]
    fn as_mut(&mut self) -> &mut [T] {
        &mut self.values[..self.count]
    }
}

impl<const N: usize> StateSpace for UpTo<N> {
    type Of<T: Scalar> = UpTo<N, T>;

    fn like<T: Scalar, U: Scalar>(other: &UpTo<N, U>, value: impl Fn(usize) -> T) -> UpTo<N, T> {
        let values = std::array::from_fn(|place| if place < other.count { value(place) } else { T::from(0.0) });
        UpTo { values, count: other.count }
    }
}

impl<const N: usize> States for UpTo<N> {
    const ROOM: usize = N;
    const EXACTLY: bool = false;

    fn zeros(states: usize) -> Option<Self> {
        (states <= N).then_some(Self { values: [0.0; N], count: states })
    }
}
