//! Progress of a long computation, and the wish to stop it.

/// How far a computation has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done: `"levenberg-marquardt"`, `"ensemble"`, …
    pub stage: &'static str,
    /// Units of work done: iterations of an optimizer, sweeps of a sampler.
    pub done: usize,
    /// Units of work at most, of which an optimizer usually needs few.
    pub total: usize,
    /// The best value so far: the lowest cost of an optimizer, the highest logarithm of a density of a sampler.
    pub best: f64,
}

/// What an [`Observer`] wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop at the next safe place and hand back what there is: the result is `Ok`, and its reason says that it was asked for.
    Stop,
}

/// Is told about progress, and may ask to stop.
///
/// It is called on the thread that runs the method, between two units of work, never from within one.
///
/// ```
/// use twin_calibrate::control::{Flow, Observer, Progress};
/// let patience = |progress: &Progress| if progress.done < 100 { Flow::Continue } else { Flow::Stop };
/// assert_eq!(patience.progress(&Progress { stage: "ensemble", done: 100, total: 500, best: -3.0 }), Flow::Stop);
/// assert_eq!(().progress(&Progress { stage: "ensemble", done: 100, total: 500, best: -3.0 }), Flow::Continue);
/// ```
pub trait Observer: Sync {
    /// Takes note of `progress` and says whether to go on.
    fn progress(&self, progress: &Progress) -> Flow;
}

/// Looks away and never stops anything.
impl Observer for () {
    fn progress(&self, _: &Progress) -> Flow {
        Flow::Continue
    }
}

impl<F: Fn(&Progress) -> Flow + Sync> Observer for F {
    fn progress(&self, progress: &Progress) -> Flow {
        self(progress)
    }
}
