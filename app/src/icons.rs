//! Icons as inline SVG in the text color.

use leptos::prelude::*;

/// The symbol that an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// A key: keys, and the logo.
    Key,
    /// A list with check marks: the review.
    Review,
    /// Bars: usage.
    Usage,
    /// Two people: members.
    Members,
    /// A speech bubble: agents.
    Agents,
    /// A folder: projects.
    Projects,
    /// A receipt: the audit log.
    Audit,
    /// A tray for what comes in: requests for keys.
    Inbox,
    /// A terminal prompt: service tokens.
    Token,
    /// Sliders: settings.
    Settings,
    /// An open book: the documentation.
    Docs,
    Plus,
    Search,
    /// Three dots: more actions.
    More,
    /// Arrows up and down: opens a menu.
    UpDown,
    /// A check mark in a circle.
    Check,
    /// An empty circle: to do.
    Circle,
    /// An exclamation mark in a circle.
    Alert,
    /// An i in a circle.
    Info,
    /// Two sheets of paper.
    Copy,
    /// A cross: close or remove.
    Close,
}

impl Symbol {
    /// The SVG path data, in a 24 × 24 view box.
    const fn path(self) -> &'static str {
        match self {
            Self::Key => "M12.5 15a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0ZM11.3 11.7l8.2-8.2M16 7l3 3",
            Self::Review => {
                "M3 6.5l1.5 1.5L7.5 5M3 17.5l1.5 1.5L7.5 16M11 7h10M11 12h10M11 18h10M3.5 12h3"
            }
            Self::Usage => "M4 20V10M10 20V4M16 20v-7M22 20H2",
            Self::Members => {
                "M12.5 8a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0ZM2.5 20a6.5 6.5 0 0 1 13 0M17 5.5a3.5 3.5 0 0 1 0 6M21.5 20a6.5 6.5 0 0 0-4-6"
            }
            Self::Agents => {
                "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2ZM9 10v2M15 10v2"
            }
            Self::Projects => {
                "M3 7a2 2 0 0 1 2-2h4l2.5 3H19a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7Z"
            }
            Self::Audit => {
                "M7 3h10a2 2 0 0 1 2 2v16l-3-2-2 2-2-2-2 2-2-2-3 2V5a2 2 0 0 1 2-2ZM9 8h6M9 12h6"
            }
            Self::Inbox => {
                "M6 5h12l3 8v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4l3-8ZM3 13h5l1.5 3h5l1.5-3h5"
            }
            Self::Docs => {
                "M12 6.5C10 5 7 4.5 3 5v13c4-.5 7 0 9 1.5 2-1.5 5-2 9-1.5V5c-4-.5-7 0-9 1.5ZM12 6.5v13"
            }
            Self::Token => "M4 5h16v14H4zM7.5 10l2.5 2.5-2.5 2.5M12.5 15h4",
            Self::Settings => "M4 7h9M17 7h3M15 9.5v-5M4 17h3M11 17h9M9 19.5v-5",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Search => "M17.5 11a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0ZM20 20l-4.3-4.3",
            Self::More => {
                "M4.5 12a.5.5 0 1 0 1 0 .5.5 0 0 0-1 0ZM11.5 12a.5.5 0 1 0 1 0 .5.5 0 0 0-1 0ZM18.5 12a.5.5 0 1 0 1 0 .5.5 0 0 0-1 0Z"
            }
            Self::UpDown => "m8 9 4-4 4 4M8 15l4 4 4-4",
            Self::Check => "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0ZM8 12.5l2.7 2.7L16 9.5",
            Self::Circle => "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
            Self::Alert => "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0ZM12 7.5v5.5M12 16.5h.01",
            Self::Info => "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0ZM12 11v5.5M12 7.5h.01",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Copy => {
                "M11 9h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM5 15V5a1 1 0 0 1 1-1h9"
            }
        }
    }
}

/// A decorative icon, hidden from screen readers because the text beside it says the same.
#[component]
pub fn Icon(symbol: Symbol) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=symbol.path()></path>
        </svg>
    }
}
