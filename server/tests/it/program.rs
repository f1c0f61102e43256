//! The program itself, as a process of its own.

mod audit;
mod backup;
mod check;
mod command_line;
mod first_start;
mod hostile_client;
mod log;
mod peppers;
mod pooler;
mod process;
mod serving;
mod three_instances;
