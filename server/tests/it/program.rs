//! The program itself, as a process of its own.

mod command_line;
mod process;
mod serving;
