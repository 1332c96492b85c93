//! A plain reference of the rules that the fields in `reference/tumortwin` were made by, written from their description alone.
//!
//! It is no part of the library: it multiplies the Laplacian by the diffusivity, does not conserve cells at the border of the mask,
//! clips silently, and takes the kill of a drug at the stages of a step. It exists to show where these rules lead, and where ours agree.

/// A drug: relative doses at their times, cleared at a rate, killing in proportion.
#[derive(Debug, Clone)]
pub struct Doses {
    /// Days of the doses.
    pub days: Vec<f64>,
    /// Doses, relative to the largest.
    pub doses: Vec<f64>,
    /// Elimination rate per day.
    pub decay: f64,
    /// Kill rate per day by one unit.
    pub sensitivity: f64,
}

/// How the kill of the drugs enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinetics {
    /// As the rules say: the concentration at each stage, the dose at the very end of a step included.
    AtStages,
    /// Exactly in time, by an integrating factor.
    Exact,
}

/// A case: the head, the tumor, and what is done.
#[derive(Debug, Clone)]
pub struct Case {
    /// Voxels along each axis.
    pub shape: [usize; 3],
    /// Their spacing in mm.
    pub spacing: [f64; 3],
    /// Whether each voxel lies in the head, first axis fastest.
    pub mask: Vec<bool>,
    /// The cellularity at the start.
    pub initial: Vec<f64>,
    /// The diffusivity of each voxel, mm²/d.
    pub diffusivity: Vec<f64>,
    /// Growth rate per day.
    pub growth: f64,
    /// Carrying capacity.
    pub capacity: f64,
    /// The surviving share of one fraction.
    pub survival: f64,
    /// Days of the fractions.
    pub fractions: Vec<f64>,
    /// The drugs.
    pub drugs: Vec<Doses>,
}

impl Case {
    /// The same case with every voxel cut into eight.
    #[must_use]
    pub fn refined(&self) -> Self {
        let [nx, ny, _] = self.shape;
        let shape = self.shape.map(|n| 2 * n);
        let coarse = |index: usize| {
            let [i, j, k] = [index % shape[0], index / shape[0] % shape[1], index / (shape[0] * shape[1])].map(|i| i / 2);
            i + nx * (j + ny * k)
        };
        let cut = |field: &[f64]| (0..shape.iter().product()).map(|index| field[coarse(index)]).collect();
        Self {
            shape,
            spacing: self.spacing.map(|h| 0.5 * h),
            mask: (0..shape.iter().product()).map(|index| self.mask[coarse(index)]).collect(),
            initial: cut(&self.initial),
            diffusivity: cut(&self.diffusivity),
            ..self.clone()
        }
    }
}

/// The neighbors of a voxel along one axis, with their factor over the squared spacing.
#[derive(Clone, Copy)]
enum Neighbors {
    None,
    Both(usize, usize, f64),
    Mirror(usize, f64),
}

/// The head, ready to step through.
struct Head<'a> {
    case: &'a Case,
    voxels: Vec<usize>,
    neighbors: Vec<[Neighbors; 3]>,
}

impl<'a> Head<'a> {
    fn new(case: &'a Case) -> Self {
        let [nx, ny, _] = case.shape;
        let strides = [1, nx, nx * ny];
        let voxels: Vec<usize> = (0..case.mask.len()).filter(|&v| case.mask[v]).collect();
        let of_axis = |voxel: usize, axis: usize| {
            let at = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)][axis];
            let (last, stride) = (case.shape[axis] - 1, strides[axis]);
            let inside = |by: isize| {
                let place = at as isize + by;
                place >= 0 && place <= last as isize && case.mask[voxel.wrapping_add_signed(by * stride as isize)]
            };
            let per_mm2 = f64::from((1.0 / (case.spacing[axis] * case.spacing[axis])) as f32);
            // No diffusion along an axis on its first and last index.
            if at == 0 || at == last {
                Neighbors::None
            } else if inside(-1) && inside(1) {
                Neighbors::Both(voxel - stride, voxel + stride, per_mm2)
            } else if inside(-1) && inside(-2) {
                Neighbors::Mirror(voxel - stride, 2.0 * per_mm2)
            } else if inside(1) && inside(2) {
                Neighbors::Mirror(voxel + stride, 2.0 * per_mm2)
            } else {
                Neighbors::None
            }
        };
        let neighbors = voxels.iter().map(|&voxel| [0, 1, 2].map(|axis| of_axis(voxel, axis))).collect();
        Self { case, voxels, neighbors }
    }

    /// The rate of change of `n` under the kill rate `kill`, with the logistic term weakened by `share`.
    fn rates(&self, n: &[f64], kill: f64, share: f64, rates: &mut [f64]) {
        for (&voxel, neighbors) in self.voxels.iter().zip(&self.neighbors) {
            let here = n[voxel];
            let laplacian: f64 = neighbors
                .iter()
                .map(|neighbors| match *neighbors {
                    Neighbors::None => 0.0,
                    Neighbors::Both(a, b, factor) => factor * (n[a] - 2.0 * here + n[b]),
                    Neighbors::Mirror(a, factor) => factor * (n[a] - here),
                })
                .sum();
            let crowded = (share * here).clamp(0.0, 1.0) / self.case.capacity;
            rates[voxel] = self.case.diffusivity[voxel] * laplacian + self.case.growth * here * (1.0 - crowded) - kill * here;
        }
    }

    /// Kill rate at `t` of the doses up to and including it.
    fn kill(&self, t: f64) -> f64 {
        let given = |drug: &Doses| {
            let doses = drug.days.iter().zip(&drug.doses).filter(|(day, _)| **day <= t);
            drug.sensitivity * doses.map(|(day, dose)| dose * (-drug.decay * (t - day)).exp()).sum::<f64>()
        };
        self.case.drugs.iter().map(given).sum()
    }

    /// The kill over `days` from `from`, by doses up to and including `from`.
    fn killed(&self, from: f64, days: f64) -> f64 {
        let given = |drug: &Doses| {
            let doses = drug.days.iter().zip(&drug.doses).filter(|(day, _)| **day <= from);
            let amount: f64 = doses.map(|(day, dose)| dose * (-drug.decay * (from - day)).exp()).sum();
            drug.sensitivity * amount * -(-drug.decay * days).exp_m1() / drug.decay
        };
        self.case.drugs.iter().map(given).sum()
    }
}

/// The fields on the `outputs` days, in order, by steps of `step` days that end at every treatment too. A field on the day of a fraction
/// is that before it.
#[must_use]
pub fn solve(case: &Case, step: f64, kinetics: Kinetics, outputs: &[f64]) -> Vec<Vec<f64>> {
    let head = Head::new(case);
    let end = outputs.iter().copied().fold(0.0, f64::max);
    let mut times: Vec<f64> = (0..=(end / step).round() as usize).map(|number| number as f64 * step).collect();
    times.extend(case.fractions.iter().chain(case.drugs.iter().flat_map(|drug| &drug.days)).filter(|day| **day < end));
    times.sort_by(f64::total_cmp);
    times.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    let mut n = case.initial.clone();
    let mut k = [0; 4].map(|_| vec![0.0; n.len()]);
    let mut stage = n.clone();
    let mut fields = Vec::new();
    for (index, &t) in times.iter().enumerate() {
        if outputs.iter().any(|output| (output - t).abs() < 1e-9) {
            fields.push(n.clone());
        }
        let Some(next) = times.get(index + 1) else { break };
        let h = next - t;
        let fraction = case.fractions.iter().any(|day| (day - t).abs() < 1e-9);
        for &voxel in &head.voxels {
            n[voxel] = (if fraction { n[voxel] * case.survival } else { n[voxel] }).clamp(0.0, 1.0);
        }
        // The 3/8 rule: stages at thirds, each from slopes before it.
        let tableau: [(f64, [f64; 3]); 4] =
            [(0.0, [0.0; 3]), (1.0 / 3.0, [1.0 / 3.0, 0.0, 0.0]), (2.0 / 3.0, [-1.0 / 3.0, 1.0, 0.0]), (1.0, [1.0, -1.0, 1.0])];
        for (number, (node, weights)) in tableau.into_iter().enumerate() {
            let [k0, k1, k2, _] = &k;
            for &voxel in &head.voxels {
                let slope = weights[0] * k0[voxel] + weights[1] * k1[voxel] + weights[2] * k2[voxel];
                stage[voxel] = n[voxel] + h * slope;
            }
            let (kill, share) = match kinetics {
                Kinetics::AtStages => (head.kill(t + node * h), 1.0),
                Kinetics::Exact => (0.0, (-head.killed(t, node * h)).exp()),
            };
            head.rates(&stage, kill, share, &mut k[number]);
        }
        let survived = if kinetics == Kinetics::Exact { (-head.killed(t, h)).exp() } else { 1.0 };
        for &voxel in &head.voxels {
            let [k0, k1, k2, k3] = &k;
            n[voxel] = survived * (n[voxel] + h / 8.0 * (k0[voxel] + 3.0 * k1[voxel] + 3.0 * k2[voxel] + k3[voxel]));
        }
    }
    fields
}
