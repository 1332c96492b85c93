//! The README and every page of the book that has snippets in Rust, so that the tests compile and run them.

/// One empty item for each page, which bears the page as its documentation.
macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {
        $(#[doc = include_str!($path)] struct $name;)*
    };
}

pages! {
    Readme: "../../README.md",
    Concepts: "../../docs/src/concepts.md",
    UnitsAndTime: "../../docs/src/units-and-time.md",
    ReadAPatient: "../../docs/src/read-a-patient.md",
    Calibrate: "../../docs/src/calibrate.md",
    LivingTwin: "../../docs/src/living-twin.md",
    Populations: "../../docs/src/populations.md",
    WhatTheDataTell: "../../docs/src/what-the-data-tell.md",
    TestAMethod: "../../docs/src/test-a-method.md",
    Trials: "../../docs/src/trials.md",
    LargeTrials: "../../docs/src/large-trials.md",
    ExtendAModel: "../../docs/src/extend-a-model.md",
    Composition: "../../docs/src/composition.md",
    Radiobiology: "../../docs/src/radiobiology.md",
    Kinetics: "../../docs/src/kinetics.md",
    Toxicity: "../../docs/src/toxicity.md",
    Molecular: "../../docs/src/molecular.md",
    Stiff: "../../docs/src/stiff.md",
    Cookbook: "../../docs/src/cookbook.md",
    Exponential: "../../docs/src/models/exponential.md",
    Logistic: "../../docs/src/models/logistic.md",
    GeneralizedLogistic: "../../docs/src/models/generalized_logistic.md",
    Gompertz: "../../docs/src/models/gompertz.md",
    Bertalanffy: "../../docs/src/models/bertalanffy.md",
    BertalanffyPutter: "../../docs/src/models/bertalanffy_putter.md",
    SensitiveResistant: "../../docs/src/models/sensitive_resistant.md",
    CellQuota: "../../docs/src/models/cell_quota.md",
    ProliferationSaturation: "../../docs/src/models/proliferation_saturation.md",
    PowerLaw: "../../docs/src/models/power_law.md",
    ExponentialLinear: "../../docs/src/models/exponential_linear.md",
    SmoothExponentialLinear: "../../docs/src/models/smooth_exponential_linear.md",
    ReducedGompertz: "../../docs/src/models/reduced_gompertz.md",
    DynamicCarryingCapacity: "../../docs/src/models/dynamic_carrying_capacity.md",
    OneCompartment: "../../docs/src/models/one_compartment.md",
    TwoCompartments: "../../docs/src/models/two_compartments.md",
    ThreeCompartments: "../../docs/src/models/three_compartments.md",
    Claret: "../../docs/src/models/claret.md",
    SteinFojo: "../../docs/src/models/stein_fojo.md",
    Wang: "../../docs/src/models/wang.md",
    Biexponential: "../../docs/src/models/biexponential.md",
    LowGradeGlioma: "../../docs/src/models/low_grade_glioma.md",
    Kuznetsov: "../../docs/src/models/kuznetsov.md",
    DePillis: "../../docs/src/models/de_pillis.md",
    Hahnfeldt: "../../docs/src/models/hahnfeldt.md",
    ThreeSpecies: "../../docs/src/models/three_species.md",
    BirthDeathMutation: "../../docs/src/models/birth_death_mutation.md",
    PsaEscape: "../../docs/src/models/psa_escape.md",
    Hirata: "../../docs/src/models/hirata.md",
}
