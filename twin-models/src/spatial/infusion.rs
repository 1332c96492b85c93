//! Infusions under way.

/// When each infusion ends, in days from the start, of which drug it is, and what it brings per day; the first to end first.
#[derive(Debug, Clone, Default)]
pub(super) struct Infusions(Vec<(f64, usize, f64)>);

impl Infusions {
    /// Begins one, and gives what all of that drug bring now.
    pub(super) fn begin(&mut self, end: f64, drug: usize, rate: f64) -> f64 {
        let place = self.0.iter().position(|(other, ..)| *other > end).unwrap_or(self.0.len());
        self.0.insert(place, (end, drug, rate));
        self.rate(drug)
    }

    /// The first that ends at `day` or before, and its drug.
    pub(super) fn next_to_end(&self, day: f64) -> Option<(f64, usize)> {
        self.0.first().filter(|(end, ..)| *end <= day).map(|(end, drug, _)| (*end, *drug))
    }

    /// Ends the first, and gives what is left of `drug`.
    pub(super) fn end_first(&mut self, drug: usize) -> f64 {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
        self.rate(drug)
    }

    /// Added up anew each time, so that nothing is left when all have ended.
    fn rate(&self, drug: usize) -> f64 {
        self.0.iter().filter(|(_, of, _)| *of == drug).map(|(.., rate)| rate).sum()
    }
}
