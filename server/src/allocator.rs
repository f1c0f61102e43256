//! When memory goes back to the system.

/// Blocks of this many bytes and more are given back as soon as they are free.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVEN_BACK_FROM: libc::c_int = 256 * 1024;

/// Has large blocks given back to the system. Called before there are threads.
///
/// Left to itself, glibc raises this bound to the largest block that was freed, up to 32 MB, and keeps what is below it: a
/// few password hashes, 19 MiB each, or a few large imports were enough for hundreds of megabytes that never went back.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "glibc has no other door for this. `mallopt` takes two numbers, reads no memory of ours, and no other \
                  thread runs yet"
    )]
    // SAFETY: see the reason above; a value that glibc does not accept changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, GIVEN_BACK_FROM);
    }
}
