//! JPEG-LS (ISO 14495-1, ITU-T T.87) of one component, lossless or nearly so. The names are those of the standard.
//!
//! A decoder of its own: those in Rust that were tried add without bounds what a damaged scan says.

/// What the headers of a frame say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    /// The largest sample.
    pub(super) most: i64,
    /// How far a sample may be from what was encoded.
    pub(super) near: i64,
    /// Three thresholds of gradients, 0 for the usual ones.
    pub(super) thresholds: [i64; 3],
    /// How many samples a context counts before it halves its sums.
    pub(super) reset: i64,
}

type Fault = &'static str;

const ENDS: Fault = "a scan of JPEG-LS ends before its last sample";
const DAMAGED: Fault = "a scan of JPEG-LS is damaged";

/// The order of run lengths, J.
const ORDERS: [u32; 32] = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Bits of a scan; behind a byte of ones the highest bit of the next is left out (A.1, annex C).
struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    count: u32,
    after_ones: bool,
}

impl Bits<'_> {
    fn bits(&mut self, count: u32) -> Result<i64, Fault> {
        while self.count < count {
            let (&byte, rest) = self.rest.split_first().ok_or(ENDS)?;
            if self.after_ones && byte >= 0x80 {
                return Err(ENDS); // a marker
            }
            let width = if self.after_ones { 7 } else { 8 };
            (self.held, self.count) = (self.held << width | u64::from(byte), self.count + width);
            (self.rest, self.after_ones) = (rest, byte == 0xff);
        }
        self.count -= count;
        let value = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        Ok(value.cast_signed())
    }

    /// A number in a Golomb code of at most `limit` bits (A.5.3); one of `range` or more than twice the range is none.
    fn golomb(&mut self, k: u32, limit: u32, coder: &Coder) -> Result<i64, Fault> {
        let escape = limit.checked_sub(coder.width + 1).ok_or(DAMAGED)?;
        let mut zeros = 0;
        while self.bits(1)? == 0 {
            zeros += 1;
            if zeros > escape {
                return Err(DAMAGED);
            }
        }
        let value = if zeros < escape { (i64::from(zeros) << k) + self.bits(k)? } else { self.bits(coder.width)? + 1 };
        if value <= 2 * coder.range + 2 { Ok(value) } else { Err(DAMAGED) }
    }
}

/// The sums of a context (A.6); for runs `bias` counts the negative errors.
#[derive(Clone, Copy)]
struct Context {
    errors: i64,
    bias: i64,
    correction: i64,
    count: i64,
}

impl Context {
    /// The parameter of its Golomb code (A.5.1).
    fn k(&self, errors: i64) -> Result<u32, Fault> {
        (0..24).find(|k| self.count << k >= errors).ok_or(DAMAGED)
    }

    /// Takes an error into account (A.6.1, A.6.2).
    fn update(&mut self, error: i64, coder: &Coder) {
        self.bias += error * coder.step;
        self.errors += error.abs();
        if self.count == coder.parameters.reset {
            self.errors >>= 1;
            self.bias >>= 1; // towards minus infinity, as −((1 − B) >> 1) is
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.correction = (self.correction - 1).max(-128);
            self.bias = (self.bias + self.count).max(1 - self.count);
        } else if self.bias > 0 {
            self.correction = (self.correction + 1).min(127);
            self.bias = (self.bias - self.count).min(0);
        }
    }
}

/// What follows from the parameters (A.2, A.5.3).
struct Coder {
    parameters: Parameters,
    /// RANGE.
    range: i64,
    /// Twice NEAR and one: the distance of neighboring reconstructions.
    step: i64,
    /// The bits of an error written out, qbpp.
    width: u32,
    /// LIMIT.
    limit: u32,
    thresholds: [i64; 3],
}

/// The smallest number of bits for so many values.
fn bits_for(values: i64) -> u32 {
    64 - (values - 1).leading_zeros()
}

impl Coder {
    fn of(parameters: Parameters) -> Result<Self, Fault> {
        let Parameters { most, near, reset, .. } = parameters;
        if !(1..=65_535).contains(&most) || !(0..=255.min(most / 2)).contains(&near) || reset < 3 {
            return Err("the parameters of JPEG-LS are out of their ranges");
        }
        let step = 2 * near + 1;
        let range = (most + 2 * near) / step + 1;
        let depth = bits_for(most + 1).max(2);
        let thresholds = thresholds(&parameters);
        if !(near < thresholds[0] && thresholds.is_sorted() && thresholds[2] <= most) {
            return Err("the parameters of JPEG-LS are out of their ranges");
        }
        Ok(Self { parameters, range, step, width: bits_for(range), limit: 2 * (depth + depth.max(8)), thresholds })
    }

    /// A gradient in one of nine regions (A.3.3).
    fn region(&self, gradient: i64) -> i64 {
        let size = gradient.abs();
        let above = self.thresholds.iter().filter(|threshold| size >= **threshold).count() as i64;
        if size <= self.parameters.near { 0 } else { (above + 1) * gradient.signum() }
    }

    /// The sample at an error from its prediction (A.4.4, A.8).
    fn sample(&self, predicted: i64, error: i64) -> i64 {
        let Parameters { most, near, .. } = self.parameters;
        let value = predicted + error * self.step;
        let wrapped = if value < -near {
            value + self.range * self.step
        } else if value > most + near {
            value - self.range * self.step
        } else {
            value
        };
        wrapped.clamp(0, most)
    }
}

/// The thresholds stated, or those of C.2.4.1.1.1.
fn thresholds(parameters: &Parameters) -> [i64; 3] {
    let Parameters { most, near, thresholds, .. } = *parameters;
    let bounded = |value: i64, least: i64| if value > most || value < least { least } else { value };
    let usual = |basic: i64, base: i64| {
        let widened = (base * 2 - 1) * near; // 3, 5 and 7 times NEAR for bases of 2, 3 and 4
        if most >= 128 {
            (most.min(4095) + 128) / 256 * (basic - base) + base + widened
        } else {
            (basic / (256 / (most + 1)) + widened).max(base)
        }
    };
    let [first, second, third] = thresholds;
    let first = if first > 0 { first } else { bounded(usual(3, 2), near + 1) };
    let second = if second > 0 { second } else { bounded(usual(7, 3), first) };
    let third = if third > 0 { third } else { bounded(usual(21, 4), second) };
    [first, second, third]
}

/// The samples of a scan, row by row.
pub(super) fn decode(scan: &[u8], columns: usize, rows: usize, parameters: Parameters) -> Result<Vec<i32>, Fault> {
    let coder = Coder::of(parameters)?;
    let fresh = Context { errors: ((coder.range + 32) / 64).max(2), bias: 0, correction: 0, count: 1 };
    let mut state =
        State { coder, contexts: vec![fresh; 367], run: 0, bits: Bits { rest: scan, held: 0, count: 0, after_ones: false } };
    let mut samples = Vec::with_capacity(columns * rows);
    // Each row has a sample before it and one behind it.
    let (mut above, mut row) = (vec![0; columns + 2], vec![0; columns + 2]);
    for _ in 0..rows {
        row[0] = above[1];
        above[columns + 1] = above[columns];
        state.row(&mut row, &above)?;
        samples.extend(row.iter().skip(1).take(columns).map(|sample| *sample as i32));
        std::mem::swap(&mut above, &mut row);
    }
    Ok(samples)
}

struct State<'a> {
    coder: Coder,
    /// 365 contexts of gradients, and two of what ends a run.
    contexts: Vec<Context>,
    /// RUNindex.
    run: usize,
    bits: Bits<'a>,
}

impl State<'_> {
    fn row(&mut self, row: &mut [i64], above: &[i64]) -> Result<(), Fault> {
        let columns = row.len() - 2;
        let mut at = 0;
        while at < columns {
            let (a, b, c, d) = (row[at], above[at + 1], above[at], above[at + 2]);
            let regions = [d - b, b - c, c - a].map(|gradient| self.coder.region(gradient));
            if regions == [0; 3] {
                at = self.run(row, above, at)?;
                continue;
            }
            // Mirrored contexts are one, with the sign of their errors turned.
            let place = regions.iter().fold(0, |place, region| place * 9 + region);
            let sign = place.signum();
            let context = self.contexts.get_mut(place.unsigned_abs() as usize).ok_or(DAMAGED)?;
            let edge = if c >= a.max(b) {
                a.min(b)
            } else if c <= a.min(b) {
                a.max(b)
            } else {
                a + b - c
            };
            let predicted = (edge + sign * context.correction).clamp(0, self.coder.parameters.most);
            let k = context.k(context.errors)?;
            let mapped = self.bits.golomb(k, self.coder.limit, &self.coder)?;
            // Even numbers stand for errors from 0 up, odd ones for those below; the reverse where the bias is low (A.5.2).
            let turned = k == 0 && self.coder.parameters.near == 0 && 2 * context.bias <= -context.count;
            let half = mapped >> 1;
            let error = if (mapped & 1 == 1) == turned { half } else { -half - 1 };
            context.update(error, &self.coder);
            row[at + 1] = self.coder.sample(predicted, sign * error);
            at += 1;
        }
        Ok(())
    }

    /// A run of the sample before, and the sample that ends it (A.7); where the row goes on.
    fn run(&mut self, row: &mut [i64], above: &[i64], mut at: usize) -> Result<usize, Fault> {
        let columns = row.len() - 2;
        let same = row[at];
        while self.bits.bits(1)? == 1 {
            let length = 1_usize << ORDERS[self.run];
            let filled = length.min(columns - at);
            row[at + 1..=at + filled].fill(same);
            at += filled;
            if filled == length {
                self.run = (self.run + 1).min(31);
            }
            if at == columns {
                return Ok(at);
            }
        }
        let order = ORDERS[self.run];
        let length = self.bits.bits(order)? as usize;
        if length >= columns - at {
            return Err(DAMAGED);
        }
        row[at + 1..=at + length].fill(same);
        at += length;
        let b = above[at + 1];
        let near = (same - b).abs() <= self.coder.parameters.near;
        let kind = i64::from(near);
        let context = self.contexts.get_mut(365 + usize::from(near)).ok_or(DAMAGED)?;
        let k = context.k(context.errors + if near { context.count >> 1 } else { 0 })?;
        let mapped = self.bits.golomb(k, self.coder.limit - order - 1, &self.coder)?;
        let size = mapped + kind;
        let odd = size & 1 == 1;
        let negative = (k != 0 || 2 * context.bias >= context.count) == odd;
        let error = if negative { -((size + 1) >> 1) } else { (size + 1) >> 1 };
        context.bias += i64::from(error < 0);
        context.errors += (mapped + 1 - kind) >> 1;
        if context.count == self.coder.parameters.reset {
            (context.errors, context.count, context.bias) = (context.errors >> 1, context.count >> 1, context.bias >> 1);
        }
        context.count += 1;
        let (predicted, sign) = if near { (same, 1) } else { (b, if same > b { -1 } else { 1 }) };
        row[at + 1] = self.coder.sample(predicted, sign * error);
        self.run = self.run.saturating_sub(1);
        Ok(at + 1)
    }
}
