//! Decoding of an uploaded file.

use super::report::ImportError;

const NOT_UTF_8: &str = "The file is not UTF-8 text, so letters with accents would be lost. Save it in UTF-8 and import it \
     again: in Excel, choose “CSV UTF-8” as the file type; in other programs, choose the encoding “UTF-8”.";

/// Decodes a file, without its byte order mark. Reads UTF-8, and UTF-16 with a byte order mark, such as Excel's
/// “Unicode Text”.
///
/// # Errors
/// If the file has another encoding. The message says what to do.
pub fn text_of(bytes: Vec<u8>) -> Result<String, ImportError> {
    let unreadable = || ImportError::Unreadable(NOT_UTF_8.to_owned());
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes).ok_or_else(unreadable)?,
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes).ok_or_else(unreadable)?,
        _ => String::from_utf8(bytes).map_err(|_| unreadable())?,
    };
    // In UTF-16 without a byte order mark, every other byte of Latin letters is NUL, which valid files do not contain.
    if text.contains('\0') {
        return Err(unreadable());
    }
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

fn utf_16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    let units = units.iter().map(|bytes| unit(*bytes));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_that_is_stated_is_read_and_no_other() {
        let text = "name,sha256\nCafé 北京 🚀,aa\n";
        let utf_16 = |unit: fn(u16) -> [u8; 2]| {
            let units = text.encode_utf16();
            [0xfeff]
                .into_iter()
                .chain(units)
                .flat_map(unit)
                .collect::<Vec<u8>>()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf_16(u16::to_le_bytes),
            utf_16(u16::to_be_bytes),
        ] {
            assert_eq!(text_of(bytes).unwrap(), text);
        }
        for bytes in [
            b"name,sha256\nCaf\xe9,aa\n".to_vec(),
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            vec![0xff, 0xfe, 0x61],
            vec![0xff, 0xfe, 0x00, 0xd8],
            b"name,sha256\nA\0,aa\n".to_vec(),
        ] {
            let error = text_of(bytes.clone()).unwrap_err().to_string();
            assert!(error.contains("CSV UTF-8"), "{bytes:?}: {error}");
        }
    }
}
