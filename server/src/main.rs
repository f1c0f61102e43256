//! The `latchkey` program.

use std::{num::NonZero, process::ExitCode, thread};

use clap::Parser;
use latchkey_server::{
    allocator,
    cli::{self, Cli},
};

/// With fewer threads, pages that wait for several things concurrently can block each other.
const LEAST_THREADS: usize = 4;

fn main() -> ExitCode {
    allocator::give_back_large_blocks();
    let cli = Cli::parse();
    let threads = thread::available_parallelism()
        .map_or(LEAST_THREADS, NonZero::get)
        .max(LEAST_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(error) => {
            eprintln!("latchkey: threads could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
