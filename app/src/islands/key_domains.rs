//! Where a widget key works, changed without leaving its page. Each change can be undone.

mod add;
mod editor;
mod list;
mod localhost;
mod step;

use latchkey::domain::{DomainPattern, DomainRule, LocalhostRule};
use leptos::prelude::*;

use self::{add::AddDomains, editor::Editor, list::DomainList, localhost::LocalhostSwitch};
use super::origin_tester::OriginTester;
use crate::{
    form::errors::{ErrorTexts, FieldError, WHOLE_FORM},
    values::key_domains::KeyDomains,
};

/// The list of domains, with their use, and a place to try an origin. Those who may edit it add and remove domains, by
/// forms of the key's page where no script runs.
#[island]
pub fn KeyDomainsEditor(
    /// The org's slug.
    org: String,
    /// The key's id.
    key: String,
    /// Where the key works.
    domains: KeyDomains,
    /// Whether the person may change that.
    may_edit: bool,
    /// The origin that is tried at first.
    tried: String,
    /// Domains that were to be added and were rejected.
    typed: String,
    /// What was wrong with them.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let path = format!("/orgs/{org}/keys/{key}");
    let with_switch = domains.localhost_forbidden.is_some();
    let editor = Editor::new(org, key, domains, errors);
    let domains = editor.domains;
    let patterns = Signal::derive(move || {
        domains.with(|domains| {
            let patterns = domains.listed.iter();
            patterns
                .filter_map(|(pattern, _)| DomainPattern::parse_stored(pattern).ok())
                .collect::<Vec<_>>()
        })
    });
    let rule = Signal::derive(move || domains.with(|domains| domains.rule));
    let forms = may_edit.then(|| {
        view! {
            <AddDomains editor path=path.clone() typed/>
            {with_switch.then(|| view! { <LocalhostSwitch editor path=path.clone()/> })}
        }
    });
    let effect =
        may_edit.then(|| view! { <span role="status">{move || editor.effect()}</span>" " });
    let about = about(rule.get_untracked(), with_switch);
    view! {
        <DomainList editor path=path.clone() may_edit/>
        <div class="body stack">
            <div role="alert"><ErrorTexts field=WHOLE_FORM errors=editor.errors/></div>
            {forms}
            <OriginTester patterns rule path tried/>
            <p class="muted small">{effect}{about}</p>
        </div>
    }
}

/// How the list is read.
fn about(rule: DomainRule, with_switch: bool) -> String {
    let covers = if rule.covers_subdomains {
        "A domain includes its subdomains."
    } else {
        "A domain does not include its subdomains. To allow them, add *.domain."
    };
    // Where the key has a switch, the line beside that states it.
    let localhost = if rule.localhost == LocalhostRule::Always && !with_switch {
        " Pages on localhost are always allowed."
    } else {
        ""
    };
    format!(
        "{covers}{localhost} Browsers send the real origin; other programs can forge it. Domains limit where the widget \
         can be embedded, not who can call your API."
    )
}
