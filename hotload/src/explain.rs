//! The common form of all errors and warnings: a code, a one-line summary, and a remedy.
//!
//! A stage's error is an enum. It derives `Error` with `#[error("{}", self.explain())]`, so that
//! its `Display` is the full text, and defines code, headline and remedy in [`Explain::explain`].
//! Each code appears in one place of the source and has a paragraph in `ERRORS.md`; a test checks
//! both.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An error or warning in the form that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// For example `H0203`: `H` for errors, `W` for warnings; the first two digits are the stage.
    pub code: Cow<'static, str>,
    /// A one-line summary without a full stop.
    pub headline: String,
    /// More lines, for example the output of another program.
    pub details: Option<String>,
    /// How to fix it.
    pub remedy: Option<String>,
    /// Further errors that were found at the same time.
    pub others: Vec<Explanation>,
}

impl Explanation {
    /// An explanation without details or a remedy.
    pub fn new(code: &'static str, headline: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            headline: headline.into(),
            details: None,
            remedy: None,
            others: Vec::new(),
        }
    }

    /// Adds lines that are shown below the headline; an empty text adds none.
    pub fn details(mut self, details: impl Into<String>) -> Self {
        let details = details.into();
        self.details = (!details.is_empty()).then_some(details);
        self
    }

    /// Adds the remedy.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// `CODE: headline. remedy`, or with details `CODE: headline`, the details and the remedy on lines of
/// their own. Other errors follow, each on a new line.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, headline, details, remedy, others } = self;
        write!(f, "{code}: {headline}")?;
        if let Some(details) = details {
            let colon = if headline.ends_with(':') { "" } else { ":" };
            write!(f, "{colon}\n{}", details.trim_matches('\n'))?;
        }
        match (remedy, details) {
            (Some(remedy), Some(_)) => write!(f, "\n{remedy}")?,
            (Some(remedy), None) if headline.ends_with(['.', '!', '?']) => write!(f, " {remedy}")?,
            (Some(remedy), None) => write!(f, ". {remedy}")?,
            (None, _) => {}
        }
        others.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl std::error::Error for Explanation {}

/// Errors and warnings with a code. They are formatted only when they are shown.
pub trait Explain {
    /// Code, headline, details and remedy.
    fn explain(&self) -> Explanation;

    /// The code, for example `H0203`.
    fn code(&self) -> Cow<'static, str> {
        self.explain().code
    }

    /// A one-line summary: the text for notices.
    fn headline(&self) -> String {
        self.explain().headline
    }

    /// How to fix it.
    fn remedy(&self) -> Option<String> {
        self.explain().remedy
    }

    /// The full text: the same as `to_string`.
    fn full(&self) -> String {
        self.explain().to_string()
    }
}

impl Explain for Explanation {
    fn explain(&self) -> Explanation {
        self.clone()
    }
}

#[cfg(test)]
mod tests;
