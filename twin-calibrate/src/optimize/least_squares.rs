//! The linear least squares problem inside every step: orthogonal and singular value decompositions of a scaled Jacobian matrix.

use nalgebra::{DMatrix, DVector};

/// A Jacobian matrix `J` (rows × dimension) with columns divided by `scale`, decomposed as `Q U diag(s) V'`.
#[derive(Debug)]
pub(crate) struct Linearization {
    qr: nalgebra::linalg::QR<f64, nalgebra::Dyn, nalgebra::Dyn>,
    left: DMatrix<f64>,
    right: DMatrix<f64>,
    singular: DVector<f64>,
    scale: DVector<f64>,
    /// Singular values up to this are noise: their directions are not determined.
    floor: f64,
    /// The residuals in the basis of the singular vectors.
    rotated: DVector<f64>,
}

impl Linearization {
    /// Decomposes `jacobian`, which has at least as many rows as columns and the relative precision `precision`, and turns `residuals`
    /// into its basis. `None` when the iteration for the singular values does not converge.
    pub(crate) fn new(mut jacobian: DMatrix<f64>, residuals: &DVector<f64>, scale: DVector<f64>, precision: f64) -> Option<Self> {
        for (mut column, scale) in jacobian.column_iter_mut().zip(scale.iter()) {
            column.unscale_mut(*scale);
        }
        let qr = jacobian.qr();
        let svd = qr.r().try_svd(true, true, f64::EPSILON, 10_000)?;
        let (left, right) = (svd.u?, svd.v_t?);
        let floor = precision.max(1e-14) * svd.singular_values.max();
        let mut this = Self { qr, left, right, singular: svd.singular_values, scale, floor, rotated: DVector::zeros(0) };
        this.rotated = this.rotate(residuals.clone());
        Some(this)
    }

    /// `U'Q'v`.
    fn rotate(&self, mut vector: DVector<f64>) -> DVector<f64> {
        self.qr.q_tr_mul(&mut vector);
        self.left.tr_mul(&vector.rows(0, self.left.nrows()))
    }

    /// The number of directions that are not determined.
    pub(crate) fn nullity(&self) -> usize {
        self.singular.iter().filter(|s| **s <= self.floor).count()
    }

    /// The length of the part of the residuals that lies in the tangent plane: what a full step would remove. Without `all`, the
    /// directions that are not determined are left out.
    pub(crate) fn tangent(&self, all: bool) -> f64 {
        let part = |(c, s): (&f64, &f64)| if all || *s > self.floor { c * c } else { 0.0 };
        self.rotated.iter().zip(self.singular.iter()).map(part).sum::<f64>().sqrt()
    }

    /// The step that a damping of `mu` leaves of the full step, in scaled coordinates.
    pub(crate) fn scaled_step(&self, mu: f64) -> DVector<f64> {
        self.damped(&self.rotated, mu)
    }

    /// The answer, in scaled coordinates, to residuals `vector` under a damping of `mu`.
    pub(crate) fn scaled_answer(&self, vector: DVector<f64>, mu: f64) -> DVector<f64> {
        self.damped(&self.rotate(vector), mu)
    }

    fn damped(&self, rotated: &DVector<f64>, mu: f64) -> DVector<f64> {
        let weights = rotated.zip_map(&self.singular, |c, s| if s > self.floor { -c * s / (s * s + mu) } else { 0.0 });
        self.right.tr_mul(&weights)
    }

    /// A scaled step in the coordinates of the point.
    pub(crate) fn unscale(&self, step: &DVector<f64>) -> DVector<f64> {
        step.component_div(&self.scale)
    }

    /// By how much the linear model says that the step damped by `mu` lowers half the sum of squares.
    pub(crate) fn predicted(&self, mu: f64) -> f64 {
        let left = |s: f64| if s > self.floor { mu / (s * s + mu) } else { 1.0 };
        0.5 * self.rotated.iter().zip(self.singular.iter()).map(|(c, s)| c * c * (1.0 - left(*s).powi(2))).sum::<f64>()
    }

    /// The ratio of the extreme singular values, infinite when the matrix is singular to its precision.
    pub(crate) fn condition(&self) -> f64 {
        if self.nullity() == 0 { self.singular.max() / self.singular.min() } else { f64::INFINITY }
    }

    /// The inverse of `J'J`, row by row; `None` when it is singular to its precision.
    pub(crate) fn covariance(&self) -> Option<Vec<f64>> {
        if self.condition().is_infinite() {
            return None;
        }
        let mut half = self.right.clone();
        for (mut row, s) in half.row_iter_mut().zip(self.singular.iter()) {
            row.unscale_mut(*s);
        }
        for (mut column, scale) in half.column_iter_mut().zip(self.scale.iter()) {
            column.unscale_mut(*scale);
        }
        Some(half.tr_mul(&half).iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Linearization {
        // A straight line through four points: y = a + b t at t = 0..3, residual = model - data at a = b = 0.
        let jacobian = DMatrix::from_row_slice(4, 2, &[1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0]);
        let residuals = DVector::from_row_slice(&[-1.0, -3.0, -4.0, -8.0]);
        Linearization::new(jacobian, &residuals, DVector::from_row_slice(&[2.0, 14f64.sqrt()]), 0.0).unwrap()
    }

    #[test]
    fn the_undamped_step_is_the_regression() {
        let line = line();
        let step = line.unscale(&line.scaled_step(0.0));
        // Normal equations: 4 a + 6 b = 16, 6 a + 14 b = 35.
        assert!((step[0] - 0.7).abs() < 1e-12 && (step[1] - 2.2).abs() < 1e-12, "{step}");
        assert!((line.predicted(0.0) - 0.5 * line.tangent(true).powi(2)).abs() < 1e-12);
        // Sum of squares 90, of which 1.8 remain.
        assert!((line.tangent(true).powi(2) - 88.2).abs() < 1e-10);
    }

    #[test]
    fn the_covariance_is_the_inverse_of_the_normal_matrix() {
        let covariance = line().covariance().unwrap();
        for (value, expected) in covariance.iter().zip([0.7, -0.3, -0.3, 0.2]) {
            assert!((value - expected).abs() < 1e-12, "{covariance:?}");
        }
    }

    #[test]
    fn a_repeated_column_has_no_covariance() {
        let jacobian = DMatrix::from_row_slice(3, 2, &[1.0, 2.0, 2.0, 4.0, 3.0, 6.0]);
        let residuals = DVector::from_row_slice(&[1.0, 1.0, 0.0]);
        let flat = Linearization::new(jacobian, &residuals, DVector::from_row_slice(&[1.0, 1.0]), 0.0).unwrap();
        assert_eq!(flat.covariance(), None);
        assert!(flat.condition().is_infinite());
        assert!(flat.scaled_step(0.0).iter().all(|z| z.is_finite()));
    }
}
