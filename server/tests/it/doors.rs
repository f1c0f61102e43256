//! What comes in through one door is the same at every other: pages, API, `/v1/verify`, imports.

mod dates;
mod hostile;
mod hostile_values;
mod numbers;
mod sorting;
