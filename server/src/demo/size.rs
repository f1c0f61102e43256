//! How much data a demo has.

/// How much data there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The number of keys of all organizations, besides those of the team's story.
    pub keys: u32,
    /// The number of organizations, the team's included.
    pub orgs: u32,
    /// The number of days of use.
    pub days: u32,
    /// The seed of everything that looks random, except for passwords and keys.
    pub seed: u64,
}
