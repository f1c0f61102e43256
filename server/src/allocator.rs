//! When memory goes back to the system.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub use glibc::{give_back_large_blocks, give_back_what_is_free};

/// Has large blocks given back to the system: other allocators do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back_large_blocks() {}

/// Gives back what is free: other allocators do so by themselves.
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

    /// Blocks of this many bytes and more are given back as soon as they are free.
    const GIVEN_BACK_FROM: libc::c_int = 256 * 1024;
    /// Between two looks at how much memory the process has.
    const LOOK: Duration = Duration::from_secs(20);
    /// How much more than at the start it has to be, in kB, for what is free of it to be given back.
    const WORTH_IT: u64 = 16 * 1024;

    /// Has large blocks given back to the system. Called before there are threads.
    ///
    /// Left to itself, glibc raises this bound to the largest block that was freed, up to 32 MB, and keeps what is below
    /// it: a few password hashes, 19 MiB each, or a few large imports were enough for hundreds of megabytes that never went
    /// back.
    pub fn give_back_large_blocks() {
        #[expect(
            unsafe_code,
            reason = "glibc has no other door for this. `mallopt` takes two numbers, reads no memory of ours, and no \
                      other thread runs yet"
        )]
        // SAFETY: see the reason above; a value that glibc does not accept changes nothing.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, GIVEN_BACK_FROM);
        }
    }

    /// Gives the pages that are free in between back to the system while the process is larger than at its start, for ever.
    ///
    /// Of small blocks glibc gives back only those at the end of a heap, so that one block in use keeps all that was freed
    /// before it: after 600 pages at once the process stayed at three times its size. To look for free pages takes a few
    /// milliseconds, so nothing remembers whether there are any.
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
            // On a thread of its own: it waits for the lock of each heap in turn.
            if let Err(error) = spawn_blocking(trim).await {
                tracing::error!(%error, "memory was not given back");
            }
            tracing::debug!(before, after = resident(), "memory was given back, in kB");
        }
    }

    fn trim() {
        #[expect(
            unsafe_code,
            reason = "glibc has no other door for this. `malloc_trim` takes a number, and blocks that are in use stay \
                      where they are"
        )]
        // SAFETY: see the reason above; any thread may call it at any time (MT-Safe).
        unsafe {
            libc::malloc_trim(0);
        }
    }

    /// How much memory the process has, in kB; 0 where the system does not say so.
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}
