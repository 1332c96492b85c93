//! The one source of randomness: a portable counter-based generator with one stream per index.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, Gamma, StandardNormal};

/// A stream of random numbers: ChaCha with 8 rounds, keyed by a seed and a stream index.
///
/// The same seed and the same streams give the same bits on any number of threads, in any order of streams. Streams nest: a trial's
/// stream gives one per virtual patient, and that one gives one per use.
///
/// ```
/// use twin_core::Random;
/// let trial = Random::new(7);
/// let (mut a, mut b) = (trial.stream(3), trial.stream(3));
/// assert_eq!(a.uniform(), b.uniform());
/// assert_ne!(a.uniform(), trial.stream(4).uniform());
/// ```
#[derive(Debug)]
pub struct Random {
    key: u64,
    generator: ChaCha8Rng,
}

impl Clone for Random {
    fn clone(&self) -> Self {
        let mut generator = ChaCha8Rng::from_seed(self.generator.get_seed());
        generator.set_word_pos(self.generator.get_word_pos());
        Self { key: self.key, generator }
    }
}

impl Random {
    /// The root stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        let mut word = seed;
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&word.to_le_bytes());
            word = mix(word.wrapping_add(0x9E37_79B9_7F4A_7C15));
        }
        Self { key: seed, generator: ChaCha8Rng::from_seed(bytes) }
    }

    /// The child stream number `index` of this stream, independent of how much of this stream or of its siblings was drawn.
    #[must_use]
    pub fn stream(&self, index: u64) -> Self {
        // The mixer is a bijection, so two indices never share a key under one parent.
        Self::new(mix(mix(self.key) ^ index.wrapping_add(0xD1B5_4A32_D192_ED03)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A number uniform on the open interval (0, 1).
    pub fn uniform(&mut self) -> f64 {
        // 53 bits, shifted by half a step so that neither end is ever returned.
        ((self.bits() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// An index uniform on `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // The upper half of a 128-bit product: a bias below 2^-64 * bound, far under any sample's resolution.
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.generator)
    }

    /// An exponential number of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// A Student-t number with `degrees` of freedom; NaN when `degrees` is not above 0 and finite.
    pub fn student_t(&mut self, degrees: f64) -> f64 {
        match Gamma::new(degrees / 2.0, 2.0 / degrees) {
            Ok(gamma) => {
                let normal = self.normal();
                normal / gamma.sample(&mut self.generator).sqrt()
            }
            Err(_) => f64::NAN,
        }
    }
}

/// The SplitMix64 finalizer (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_do_not_depend_on_what_was_drawn() {
        let mut parent = Random::new(1);
        let before = parent.stream(5).bits();
        for _ in 0..100 {
            parent.bits();
        }
        assert_eq!(before, parent.stream(5).bits());
    }

    #[test]
    fn a_clone_goes_on_from_the_same_place() {
        let mut random = Random::new(3);
        for _ in 0..37 {
            random.uniform();
        }
        let mut copy = random.clone();
        assert_eq!([random.bits(), random.bits()], [copy.bits(), copy.bits()]);
    }

    #[test]
    fn bits_are_those_of_the_first_release() {
        // Pinned: stored seeds must keep meaning the same numbers.
        let mut random = Random::new(42).stream(1);
        assert_eq!([random.bits(), random.bits()], [16_178_461_362_280_255_867, 13_864_525_431_170_000_723]);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(9);
        let n = 200_000;
        let mean = |draw: &mut dyn FnMut() -> f64| (0..n).map(|_| draw()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || random.uniform()) - 0.5).abs() < 3e-3);
        assert!(mean(&mut || random.normal()).abs() < 1e-2);
        assert!((mean(&mut || random.normal().powi(2)) - 1.0).abs() < 1.5e-2);
        assert!((mean(&mut || random.exponential()) - 1.0).abs() < 1e-2);
        assert!((mean(&mut || random.student_t(8.0).powi(2)) - 8.0 / 6.0).abs() < 3e-2);
        assert!((mean(&mut || random.below(10) as f64) - 4.5).abs() < 3e-2);
    }
}
