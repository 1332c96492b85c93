//! Tumor, body and treatment under one schedule: a [`TumorModel`] made of a growth law and parts.
//!
//! A part understands treatments and acts on the tumor, on the body, or on both: [`Radiotherapy`], a [`Drug`] with its kinetics and its
//! responses ([`effect`](crate::effect), [`toxicity`](crate::toxicity)), a [`DrugPair`] whose effects are joint, a [`Marker`] that the tumor
//! sheds, a [`Signal`] by which a [`Coupled`] model on a faster scale drives this one. Parts and responses are joined in pairs, which nest:
//! `(Radiotherapy, (Drug, Drug))`. Types are known, so all of it is inlined; [`Description`] makes the same models from a file at run
//! time.
//!
//! ```
//! use twin_core::Agent;
//! use twin_models::composition::{Drug, Law, Radiotherapy, TumorModel};
//! use twin_models::{Model, effect, growth, kinetics, toxicity};
//! // Gompertz growth, LQ, and paclitaxel that damages the tumor (Simeoni) and the marrow (Friberg): 11 states.
//! let paclitaxel = Drug::new(kinetics::drugs::paclitaxel()?, (effect::Simeoni, toxicity::Friberg::paclitaxel()?));
//! let model = TumorModel::<_, _, [f64; 11]>::model("example", Law::<growth::Gompertz>::new(), (Radiotherapy::default(), paclitaxel))?;
//! assert!(model.spec().parameters.iter().any(|parameter| parameter.name == "paclitaxel_clearance"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod any;
mod coupled;
mod description;
mod drug;
mod drug_pair;
mod marker;
mod model;
mod outline;
mod part;
mod radiotherapy;
mod signal;
mod state;

pub(crate) use any::Erased;
pub use any::{AnyPart, AnyResponse};
pub use coupled::Coupled;
pub use description::{
    Description, DrugDescription, MarkerDescription, PairDescription, RadiotherapyDescription, ResponseDescription,
};
pub use drug::{Drug, RunningDrug};
pub use drug_pair::{DrugPair, JointRule, RunningDrugPair};
pub use marker::{Marker, RunningMarker};
pub use model::{Composed, Law, NoTumor, Running, TumorGrowth, TumorModel};
pub use outline::Outline;
pub use part::{Both, Part, Response, RunningPart, RunningResponse, Tumor};
pub use radiotherapy::{Radiotherapy, RunningRadiotherapy};
pub use signal::{RunningSignal, Signal};
pub use state::{States, UpTo};
