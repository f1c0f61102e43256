//! Numbers that look random and are the same in every run with the same seed.

/// A number from 0 to 1, without 1, for a seed and two values.
pub fn noise(seed: u64, one: u64, other: u64) -> f64 {
    let mixed = mix(mix(mix(seed) ^ one) ^ other);
    // The 53 bits of a mantissa.
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number around 0, mostly between −1 and 1: about normally distributed.
pub fn bell(seed: u64, value: u64) -> f64 {
    let sum: f64 = (0..4).map(|part| noise(seed, value, part)).sum();
    (sum - 2.0) * 3.0_f64.sqrt()
}

/// A whole number close to `value`: the next lower or higher one, so that the sum of many is right.
pub fn whole(value: f64, noise: f64) -> i64 {
    (value + noise).floor() as i64
}

/// SplitMix64.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
