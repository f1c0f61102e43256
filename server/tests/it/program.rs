//! The program itself, as a separate process.

mod accuracy;
mod audit;
mod backup;
mod check;
mod command_line;
mod demo;
mod first_start;
mod hostile_client;
mod log;
mod peppers;
mod pooler;
pub mod process;
mod serving;
mod three_instances;
