//! The QR code that an authenticator app scans.

use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

/// The margin that scanners need, in modules.
const MARGIN: usize = 4;

/// A QR code, always dark on light: not all scanners read the opposite.
#[component]
pub fn Qr(text: String, label: &'static str) -> impl IntoView {
    // The text below it says the same, so the page works without it.
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (size, path) = (code.width() + 2 * MARGIN, path(&code));
    Some(view! {
        <svg class="qr" role="img" aria-label=label viewBox=format!("0 0 {size} {size}") shape-rendering="crispEdges">
            <rect width=size height=size fill="#fff"/>
            <path d=path fill="#000"/>
        </svg>
    })
}

/// The outlines of the dark modules, one for each run in a row.
fn path(code: &QrCode) -> String {
    let (colors, width) = (code.to_colors(), code.width());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let length = run.len();
                path.push_str(&format!(
                    "M{} {}h{length}v1h-{length}z",
                    x + MARGIN,
                    y + MARGIN
                ));
            }
            x += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_covers_the_dark_modules() {
        let code = QrCode::new("otpauth://totp/x").unwrap();
        let path = path(&code);
        let dark = code
            .to_colors()
            .iter()
            .filter(|color| **color == Color::Dark)
            .count();
        let lengths = path.split('h').skip(1).step_by(2);
        let drawn: usize = lengths
            .map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
        assert!(
            path.starts_with("M4 4h7v1h-7z"),
            "the finder pattern: {path:.40}"
        );
    }
}
