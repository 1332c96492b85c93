//! What is known of one item, and from where.

/// What is known of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Taken from what was run.
    Run(String),
    /// Said by the people who use the model.
    Given(String),
    /// Not known; what is missing.
    Open(String),
}

impl Answer {
    /// What the run says.
    pub(super) fn run(text: impl Into<String>) -> Self {
        Self::Run(text.into())
    }

    /// What people say, or what is missing.
    pub(super) fn given(text: Option<&String>, missing: &str) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => Self::Given(text.clone()),
            None => Self::Open(missing.to_owned()),
        }
    }

    /// Where the answer comes from, in a word.
    #[must_use]
    pub fn origin(&self) -> &'static str {
        match self {
            Self::Run(_) => "from the run",
            Self::Given(_) => "given",
            Self::Open(_) => "open",
        }
    }

    /// The answer, or what is missing.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Run(text) | Self::Given(text) | Self::Open(text) => text,
        }
    }
}

/// One item of a part of the dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number in its standard; empty where the standard has none.
    pub number: &'static str,
    /// What it asks.
    pub topic: &'static str,
    /// What is known.
    pub answer: Answer,
}

impl Item {
    pub(super) fn new(number: &'static str, topic: &'static str, answer: Answer) -> Self {
        Self { number, topic, answer }
    }
}
