//! The text form of a pepper.

/// Splits a pepper into its number and secret.
pub(super) fn split(text: &str) -> Result<(i32, &str), String> {
    let (number, secret) = match text.split_once(':') {
        Some((number, secret)) => {
            let number: i32 = number
                .parse()
                .map_err(|_| "must begin with a number before the colon".to_owned())?;
            (number, secret)
        }
        None => (1, text),
    };
    if number < 1 {
        return Err("must have a number of at least 1".to_owned());
    }
    Ok((number, secret))
}
