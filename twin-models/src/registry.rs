//! Models by name.

use crate::{Model, SimulationError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A collection of models by id. An ordinary value: make one, add to it, hand it on.
///
/// ```
/// use twin_models::Registry;
/// let registry = Registry::standard()?;
/// assert!(registry.get("gompertz").is_ok());
/// let error = registry.get("gomperz").map(|_| ()).unwrap_err();
/// assert!(error.to_string().contains("gompertz"), "the message lists the choices");
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Registry {
    models: BTreeMap<String, Arc<dyn Model>>,
}

impl Registry {
    /// A registry without models.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every model of this library.
    ///
    /// # Errors
    /// None for the library as it stands; the result is that of [`Registry::register`].
    pub fn standard() -> Result<Self, SimulationError> {
        let mut registry = Self::empty();
        registry.register(crate::growth::exponential())?;
        registry.register(crate::growth::logistic())?;
        registry.register(crate::growth::gompertz())?;
        registry.register(crate::growth::bertalanffy())?;
        registry.register(crate::growth::generalized_logistic())?;
        registry.register(crate::growth::bertalanffy_putter())?;
        registry.register(crate::clones::sensitive_resistant(twin_core::Agent::new("abiraterone")?))?;
        registry.register(crate::psa::cell_quota(twin_core::Agent::new("androgen deprivation")?))?;
        registry.register(crate::growth::power_law())?;
        registry.register(crate::growth::exponential_linear())?;
        registry.register(crate::growth::smooth_exponential_linear())?;
        registry.register(crate::growth::reduced_gompertz())?;
        registry.register(crate::growth::dynamic_carrying_capacity())?;
        registry.register(crate::kinetics::one_compartment(twin_core::Agent::new("generic drug")?)?)?;
        registry.register(crate::kinetics::two_compartments(twin_core::Agent::new("generic drug")?)?)?;
        registry.register(crate::kinetics::three_compartments(twin_core::Agent::new("generic drug")?)?)?;
        registry.register(crate::effect::claret())?;
        registry.register(crate::effect::stein_fojo())?;
        registry.register(crate::effect::wang())?;
        registry.register(crate::effect::biexponential())?;
        registry.register(crate::effect::low_grade_glioma()?)?;
        registry.register(crate::immune::kuznetsov()?)?;
        registry.register(crate::immune::de_pillis()?)?;
        registry.register(crate::angiogenic::hahnfeldt(&twin_core::Agent::new("endostatin")?))?;
        registry.register(crate::clones::three_species(&twin_core::Agent::new("abiraterone")?))?;
        registry.register(crate::clones::BirthDeathMutation::new(&twin_core::Agent::new("targeted drug")?)?)?;
        registry.register(crate::psa::escape(&twin_core::Agent::new("docetaxel")?))?;
        registry.register(crate::psa::hirata(&twin_core::Agent::new("androgen deprivation")?))?;
        registry.register(crate::radiation::proliferation_saturation())?;
        registry.register(crate::psa::baez_kuang(&twin_core::Agent::new("androgen deprivation")?))?;
        registry.register(crate::psa::portz_kuang_nagy(&twin_core::Agent::new("androgen deprivation")?))?;
        Ok(registry)
    }

    /// Adds `model` under the id of its specification.
    ///
    /// # Errors
    /// [`SimulationError::DuplicateModel`] if that id is taken; nothing is replaced.
    pub fn register(&mut self, model: impl Model + 'static) -> Result<(), SimulationError> {
        let id = model.spec().id.clone();
        if self.models.contains_key(&id) {
            return Err(SimulationError::DuplicateModel { id });
        }
        self.models.insert(id, Arc::new(model));
        Ok(())
    }

    /// The model of that id.
    ///
    /// # Errors
    /// [`SimulationError::UnknownModel`], listing the ids there are.
    pub fn get(&self, id: &str) -> Result<Arc<dyn Model>, SimulationError> {
        let unknown = || SimulationError::UnknownModel { id: id.to_owned(), known: self.models.keys().cloned().collect() };
        self.models.get(id).cloned().ok_or_else(unknown)
    }

    /// The models, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Model>> {
        self.models.values()
    }
}
