//! The team's keys, one in each state that a key can be in.

use latchkey::{
    key::{Environment, Kind, RevokeReason},
    outcome::Outcome,
};

/// The projects, besides `Default`.
pub const PROJECTS: [&str; 2] = ["Storefront", "Mobile app"];

/// The team's agents: the name, the domain of its pages, and requests a day that send its public ID instead of a key.
pub const AGENTS: [(&str, &str, f64); 3] = [
    ("Support assistant", "help.northwind.example", 320.0),
    ("Order tracker", "shop.northwind.example", 140.0),
    ("Product finder", "shop.northwind.example", 0.0),
];

/// The day of the incident: a campaign site went live before its domain was added to the checkout's key.
pub const INCIDENT_DAYS_AGO: f64 = 16.0;
/// The domain of that site.
pub const INCIDENT_DOMAIN: &str = "spring.northwind.example";
pub const INCIDENT_ORIGIN: &str = "https://spring.northwind.example";
/// The key of the checkout.
pub const CHECKOUT: &str = "Storefront checkout";

/// A key whose program sent the same requests again and again last night, until its rate limit stopped it.
pub const RETRYING: &str = "Nightly export";

/// What happened to a key last.
#[derive(Debug, Clone, Copy)]
pub enum Ending {
    Disabled,
    Revoked(RevokeReason),
    /// Rotated with an overlap of seven days.
    Rotated,
    /// A page sent it, which is found.
    SeenInBrowser,
}

/// A key with its history.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    pub name: &'static str,
    pub kind: Kind,
    pub environment: Environment,
    /// The index of its project: 0 for `Default`, then those of [`PROJECTS`].
    pub project: usize,
    pub made_days_ago: f64,
    /// From its creation; `None` for never.
    pub expires_after_days: Option<i64>,
    pub domains: &'static [&'static str],
    pub notes: &'static str,
    /// Allowed requests on a working day at the end of the period.
    pub daily: f64,
    /// How much of it there was at the start of the period.
    pub at_first: f64,
    /// Rejected requests by outcome, as a share of the allowed ones.
    pub refused: &'static [(Outcome, f64)],
    /// How many of the convention's scopes it has; 0 for full access.
    pub scopes: usize,
    /// Origins that are not among its domains.
    pub strays: &'static [&'static str],
    /// The client of a server.
    pub client: &'static str,
    /// Rejected requests a day after its ending.
    pub afterwards: f64,
    pub ending: Option<(f64, Ending)>,
}

const SECRET: Story = Story {
    name: "",
    kind: Kind::Secret,
    environment: Environment::Live,
    project: 0,
    made_days_ago: 90.0,
    expires_after_days: Some(365),
    domains: &[],
    notes: "",
    daily: 0.0,
    at_first: 0.6,
    refused: &[],
    scopes: 0,
    strays: &[],
    client: "node",
    afterwards: 0.0,
    ending: None,
};

const WIDGET: Story = Story {
    kind: Kind::Widget,
    project: 1,
    strays: &[
        "https://preview.northwind.example",
        "https://mirror.example",
    ],
    ..SECRET
};

pub const STORIES: [Story; 14] = [
    Story {
        name: "Production server",
        daily: 6_200.0,
        notes: "All API servers. Rotate in the first week of a quarter.",
        refused: &[(Outcome::RateLimited, 0.012)],
        client: "axios/1.7.9",
        ..SECRET
    },
    Story {
        name: CHECKOUT,
        domains: &["shop.northwind.example", "*.shop.northwind.example"],
        daily: 3_100.0,
        refused: &[
            (Outcome::OriginNotAllowed, 0.02),
            (Outcome::RateLimited, 0.008),
        ],
        ..WIDGET
    },
    Story {
        name: "Mobile backend",
        project: 2,
        daily: 2_400.0,
        at_first: 0.2,
        refused: &[(Outcome::RateLimited, 0.02)],
        scopes: 6,
        client: "Go-http-client/2.0",
        ..SECRET
    },
    Story {
        name: "Help center widget",
        project: 0,
        domains: &["help.northwind.example"],
        daily: 900.0,
        refused: &[(Outcome::OriginNotAllowed, 0.03)],
        strays: &["https://community.northwind.example"],
        ..WIDGET
    },
    Story {
        name: RETRYING,
        daily: 48.0,
        at_first: 1.0,
        scopes: 1,
        client: "python-requests/2.32.3",
        ..SECRET
    },
    Story {
        name: "Staging",
        environment: Environment::Test,
        daily: 260.0,
        at_first: 1.0,
        refused: &[(Outcome::InsufficientScope, 0.05)],
        scopes: 2,
        ..SECRET
    },
    Story {
        name: "CI",
        environment: Environment::Test,
        expires_after_days: None,
        daily: 120.0,
        at_first: 0.8,
        refused: &[(Outcome::WrongEnvironment, 0.03)],
        client: "curl/8.14.1",
        ..SECRET
    },
    Story {
        name: "Quarterly report",
        made_days_ago: 81.0,
        expires_after_days: Some(90),
        daily: 30.0,
        ..SECRET
    },
    Story {
        name: "Data warehouse",
        daily: 520.0,
        scopes: 4,
        client: "python-requests/2.32.3",
        ending: Some((2.0, Ending::Rotated)),
        ..SECRET
    },
    Story {
        name: "Prototype",
        environment: Environment::Live,
        project: 1,
        made_days_ago: 38.0,
        daily: 85.0,
        notes: "Built into a page by mistake: replace it with a widget key.",
        strays: &["https://prototype.northwind.example"],
        afterwards: 9.0,
        ending: Some((5.0, Ending::SeenInBrowser)),
        ..SECRET
    },
    Story {
        name: "Partner import",
        daily: 210.0,
        refused: &[(Outcome::RateLimited, 0.2)],
        client: "okhttp/4.12.0",
        afterwards: 24.0,
        ending: Some((12.0, Ending::Disabled)),
        ..SECRET
    },
    Story {
        name: "Old storefront",
        project: 1,
        daily: 1_700.0,
        at_first: 1.6,
        afterwards: 7.0,
        ending: Some((41.0, Ending::Revoked(RevokeReason::Superseded))),
        ..SECRET
    },
    Story {
        name: "Summer campaign",
        domains: &["summer.northwind.example"],
        made_days_ago: 83.0,
        expires_after_days: Some(60),
        daily: 640.0,
        at_first: 1.5,
        afterwards: 15.0,
        ..WIDGET
    },
    Story {
        name: "Load test",
        environment: Environment::Test,
        made_days_ago: 33.0,
        ..SECRET
    },
];
