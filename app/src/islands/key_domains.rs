//! Edits the allowed domains of a widget key on the key's page. Each change can be undone.

mod add;
mod editor;
mod list;
mod localhost;
mod origin_tester;
mod step;

use latchkey::domain::{DomainPattern, DomainRule, LocalhostRule};
use leptos::prelude::*;

use self::{add::AddDomains, list::DomainList, localhost::LocalhostSwitch};
pub use self::{editor::Editor, list::AddButton, origin_tester::OriginTester};
use crate::{
    form::errors::{ErrorTexts, FieldError, WHOLE_FORM},
    values::key_domains::KeyDomains,
};

/// The allowed domains with their usage, and a form that tests an origin. Users who can edit the list add and remove
/// domains; without JavaScript these are plain forms of the key's page.
#[island]
pub fn KeyDomainsEditor(
    /// The organization's slug.
    org: String,
    key: String,
    /// The key's allowed domains.
    domains: KeyDomains,
    /// Whether the user can edit the domains.
    may_edit: bool,
    /// Whether the policies of the organization let the key work on localhost.
    may_allow_localhost: bool,
    /// The origin to test initially.
    tried: String,
    /// The submitted domains, if they were rejected.
    typed: String,
    /// The errors of the submitted form.
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
            {with_switch.then(|| view! { <LocalhostSwitch editor path=path.clone() may_allow=may_allow_localhost/> })}
        }
    });
    let effect =
        may_edit.then(|| view! { <span role="status">{move || editor.effect()}</span>" " });
    let about = about(rule.get_untracked(), with_switch);
    view! {
        <DomainList editor path=path.clone() may_edit may_allow_localhost/>
        <div class="body stack">
            <div role="alert"><ErrorTexts field=WHOLE_FORM errors=editor.errors/></div>
            {forms}
            <OriginTester patterns rule path anchor="#domains" tried editor=may_edit.then_some(editor) with_switch may_allow_localhost/>
            <p class="muted small">{effect}{about}</p>
        </div>
    }
}

/// Explains how the list is matched.
fn about(rule: DomainRule, with_switch: bool) -> String {
    let covers = if rule.covers_subdomains {
        "A domain includes its subdomains."
    } else {
        "A domain does not include its subdomains. To allow them, add *.domain."
    };
    // If the key has a localhost switch, the text beside the switch says it.
    let localhost = match rule.localhost {
        LocalhostRule::Always if !with_switch => " Pages on localhost are always allowed.",
        LocalhostRule::Never if !with_switch => " Pages on localhost are always rejected.",
        LocalhostRule::Always | LocalhostRule::IfListed | LocalhostRule::Never => "",
    };
    format!(
        "{covers}{localhost} Browsers send the real origin; other programs can forge it. Domains limit where the widget \
         can be embedded, not who can call your API."
    )
}
