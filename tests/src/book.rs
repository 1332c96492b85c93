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
    TheClinicsFiles: "../../docs/src/the-clinics-files.md",
    Calibrate: "../../docs/src/calibrate.md",
    Trials: "../../docs/src/trials.md",
    ExtendAModel: "../../docs/src/extend-a-model.md",
    Cookbook: "../../docs/src/cookbook.md",
    Exponential: "../../docs/src/models/exponential.md",
    Logistic: "../../docs/src/models/logistic.md",
    GeneralizedLogistic: "../../docs/src/models/generalized_logistic.md",
    Gompertz: "../../docs/src/models/gompertz.md",
    Bertalanffy: "../../docs/src/models/bertalanffy.md",
    BertalanffyPutter: "../../docs/src/models/bertalanffy_putter.md",
    SensitiveResistant: "../../docs/src/models/sensitive_resistant.md",
    CellQuota: "../../docs/src/models/cell_quota.md",
}
