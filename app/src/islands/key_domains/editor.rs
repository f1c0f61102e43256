//! The state that the parts of the domain editor share, and the call that changes the domains.

use leptos::{html, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::step::{Step, sentence, undo_of};
use crate::{
    calls::edit_domains,
    form::errors::{Errors, FieldError},
    islands::{
        follow_effect::follow,
        status_region::{clear, show_done, show_failure, show_undoable},
    },
    values::{
        key_domains::{DomainsAnswer, DomainsForm, KeyDomains},
        progress::Progress,
    },
};

/// The state of the domain editor.
#[derive(Clone, Copy)]
pub struct Editor {
    pub domains: RwSignal<KeyDomains>,
    /// The errors of the last change.
    pub errors: Errors,
    /// The input for domains to add.
    pub field: NodeRef<html::Input>,
    /// The organization's slug and the key's ID.
    key: StoredValue<(String, String)>,
    /// The change that is in progress.
    sent: RwSignal<Option<DomainsForm>>,
    /// The progress of the last change.
    progress: RwSignal<Option<RwSignal<Progress>>>,
}

impl Editor {
    /// Creates the editor. `org` is a slug and `key` an ID.
    pub fn new(org: String, key: String, domains: KeyDomains, errors: Vec<FieldError>) -> Self {
        Self {
            domains: RwSignal::new(domains),
            errors: Errors::new(errors),
            field: NodeRef::new(),
            key: StoredValue::new((org, key)),
            sent: RwSignal::new(None),
            progress: RwSignal::new(None),
        }
    }

    /// Sends a change unless another one is in progress.
    pub fn change(self, form: DomainsForm) {
        self.send(form, Step::Change);
    }

    /// The value of `aria-busy`: "true" while a matching change is in progress.
    pub fn busy(self, is_this: impl Fn(&DomainsForm) -> bool) -> Option<&'static str> {
        let is_under_way = self.sent.with(|sent| sent.as_ref().is_some_and(is_this));
        is_under_way.then_some("true")
    }

    /// Says when changes take effect, or the progress of the last one.
    pub fn effect(self) -> String {
        match self.progress.get() {
            None => "Changes take effect immediately.".to_owned(),
            Some(progress) => progress.with(Progress::sentence),
        }
    }

    fn send(self, form: DomainsForm, step: Step) {
        if self.sent.with_untracked(Option::is_some) {
            return;
        }
        self.sent.set(Some(form.clone()));
        spawn_local(async move {
            let (org, key) = self.key.get_value();
            let answer = edit_domains(org, key, form.clone()).await;
            self.sent.set(None);
            match answer {
                Ok(DomainsAnswer::Changed {
                    domains,
                    added,
                    removed,
                    history,
                }) => {
                    show_history(&history);
                    self.changed(domains, added, removed, &form, step);
                }
                Ok(DomainsAnswer::Refused(errors)) => {
                    clear();
                    self.errors.replace(errors);
                    if !form.add.is_empty() {
                        focus_later(self.field);
                    }
                }
                Err(error) => show_failure(&error),
            }
        });
    }

    fn changed(
        self,
        domains: KeyDomains,
        added: Vec<String>,
        removed: Vec<String>,
        form: &DomainsForm,
        step: Step,
    ) {
        let place = removed.first().and_then(|domain| {
            self.domains
                .with_untracked(|before| before.place_of(domain))
        });
        let next = self.domains.with_untracked(|before| {
            let next = before.listed.get(place? + 1)?;
            Some(next.0.clone())
        });
        let back = added.first().and_then(|domain| domains.place_of(domain));
        let last = domains.listed.len().saturating_sub(1);
        self.errors.replace(Vec::new());
        self.domains.set(domains);
        self.follow();
        match step {
            // Keeps the focus in place: the next domain, the input, or the domain that was restored.
            Step::Change if !form.add.is_empty() => {
                if let Some(field) = self.field.get_untracked() {
                    field.set_value("");
                }
                focus_later(self.field);
            }
            Step::Change => focus_remove_button(place.map(|place| place.min(last))),
            Step::Undo if back.is_some() => focus_remove_button(back),
            Step::Undo => focus_later(self.field),
        }
        let text = sentence(&added, &removed, form, step);
        match undo_of(added, removed, next, form).filter(|_| step == Step::Change) {
            Some(undo) => show_undoable(text, move || self.send(undo.clone(), Step::Undo)),
            None => show_done(text),
        }
    }

    /// Follows the change until it is in effect on every instance. Clears the message about the previous change.
    fn follow(self) {
        if let Some(outdated) = document().get_element_by_id("changed") {
            outdated.remove();
        }
        let progress = RwSignal::new(Progress::Soon);
        self.progress.set(Some(progress));
        let (org, key) = self.key.get_value();
        follow(org, key, progress);
    }
}

/// Shows the key's history as the server rendered it, with all names escaped as on the page.
fn show_history(html: &str) {
    if let Some(history) = document().get_element_by_id("key-history") {
        history.set_inner_html(html);
    }
}

/// The ID of the button that removes the domain at this index.
pub fn remove_id(place: usize) -> String {
    format!("r{place}")
}

/// Focuses the button that removes the domain at this index, once it is rendered.
fn focus_remove_button(place: Option<usize>) {
    let Some(place) = place else {
        return;
    };
    request_animation_frame(move || {
        let button = document()
            .get_element_by_id(&remove_id(place))
            .and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(button) = button {
            // If the focus cannot move, it stays where it is.
            let _ = button.focus();
        }
    });
}

fn focus_later(field: NodeRef<html::Input>) {
    request_animation_frame(move || {
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
    });
}
