//! The same input has the same result through every interface: pages, API, `/v1/verify` and imports.

mod dates;
mod hostile;
mod hostile_values;
mod numbers;
mod policies;
mod sorting;
