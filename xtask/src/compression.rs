//! Compression of embedded files.

use std::io::Write;

use anyhow::Result;

use crate::level::Level;

/// Whether compression makes a file of this name smaller.
pub fn is_compressible(path: &str) -> bool {
    [
        ".css",
        ".js",
        ".wasm",
        ".svg",
        ".txt",
        ".ico",
        ".webmanifest",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

/// Brotli (RFC 7932). The best quality takes about ten times as long as the fast one.
pub fn brotli(content: &[u8], level: Level) -> Result<Vec<u8>> {
    let quality = if level == Level::Release { 11 } else { 5 };
    let window_bits = 22;
    let mut compressed = brotli::CompressorWriter::new(Vec::new(), 4096, quality, window_bits);
    compressed.write_all(content)?;
    Ok(compressed.into_inner())
}

/// Gzip (RFC 1952).
pub fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    compressed.write_all(content)?;
    Ok(compressed.finish()?)
}
