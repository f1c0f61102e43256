//! Usage over a time.

use serde::{Deserialize, Serialize};

/// The usage page with another question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownUsage {
    /// The question, as in the URL of the page.
    pub query: String,
    /// What screen readers announce: "Oct 23 – Nov 21, 2026: 3 requests."
    pub said: String,
    /// The rendered page. In WebAssembly, the code that renders it would be a sixth of the download.
    pub html: String,
}
