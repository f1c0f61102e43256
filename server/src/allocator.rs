//! Returns free memory to the system.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub use glibc::{give_back_large_blocks, give_back_what_is_free};

/// Makes the allocator return large blocks to the system. Only needed for glibc: other allocators do this on their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back_large_blocks() {}

/// Returns free memory to the system. Only needed for glibc: other allocators do this on their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub async fn give_back_what_is_free() {
    std::future::pending().await
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    use std::time::Duration;

    use tokio::{
        task::spawn_blocking,
        time::{MissedTickBehavior, interval},
    };

    /// Blocks of at least this many bytes are returned to the system as soon as they are freed.
    const GIVEN_BACK_FROM: libc::c_int = 256 * 1024;
    /// The time between two checks of the process's memory use.
    const LOOK: Duration = Duration::from_secs(20);
    /// Free memory is returned only if the process has grown by at least this much since its start, in kB.
    const WORTH_IT: u64 = 16 * 1024;

    /// Makes glibc return large blocks to the system. Must be called before the process starts threads.
    ///
    /// By default, glibc raises this threshold to the size of the largest block that was freed, up to 32 MB, and keeps
    /// smaller blocks. A few password hashes of 19 MiB each, or a few large imports, were enough for hundreds of
    /// megabytes that were never returned.
    pub fn give_back_large_blocks() {
        #[expect(
            unsafe_code,
            reason = "glibc has no other API for this. `mallopt` takes two numbers, reads no memory of ours, and no \
                      other thread runs yet"
        )]
        // SAFETY: see the reason above. glibc ignores a value that it does not accept.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, GIVEN_BACK_FROM);
        }
    }

    /// Runs forever, and returns free pages to the system whenever the process is larger than at its start.
    ///
    /// glibc returns small blocks only from the end of a heap, so one block in use keeps everything that was freed
    /// before it: after 600 concurrent pages, the process stayed at three times its size. Looking for free pages takes
    /// a few milliseconds, so there is no need to track whether there are any.
    pub async fn give_back_what_is_free() {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let at_start = resident();
        loop {
            looks.tick().await;
            let before = resident();
            if before < at_start + WORTH_IT {
                continue;
            }
            // On a blocking thread, because it waits for the lock of each heap in turn.
            if let Err(error) = spawn_blocking(trim).await {
                tracing::error!(%error, "failed to return free memory");
            }
            tracing::debug!(before, after = resident(), "returned free memory (in kB)");
        }
    }

    fn trim() {
        #[expect(
            unsafe_code,
            reason = "glibc has no other API for this. `malloc_trim` takes a number, and blocks that are in use stay \
                      where they are"
        )]
        // SAFETY: see the reason above. Any thread can call it at any time (MT-Safe).
        unsafe {
            libc::malloc_trim(0);
        }
    }

    /// The resident memory of the process in kB, or 0 if the system does not report it.
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}
