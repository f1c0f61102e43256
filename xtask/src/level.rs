//! The two levels of a build of the site.

/// How much time is spent on reducing file sizes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Fast to build: no wasm-opt, light compression.
    Quick,
    /// As small as possible.
    Release,
}

impl Level {
    /// The level's word in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Release => "release",
        }
    }
}
