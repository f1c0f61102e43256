//! `/orgs/{org}/keys/new`: the form that makes a key, and the answer to it.

pub mod fields;
pub mod form;
pub mod options;
pub mod text_area;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use self::{
    form::NewKeyFormView,
    options::{NewKeyOptions, offer_new_key},
};
use super::created::CreatedKey;
use crate::{
    form_answer::{FieldSentence, FormAnswer},
    layout::{Breadcrumbs, PageHead},
    new_key_form::{NewKeyAnswer, NewKeyForm},
    not_found::ErrorView,
};

/// The page: a blank form, or what came of the form that the server is answering.
#[component]
pub fn NewKeyPage() -> impl IntoView {
    let params = use_params_map();
    let org = Memo::new(move |_| params.with(|params| params.get("org").unwrap_or_default()));
    let options = Resource::new(move || org.get(), offer_new_key);
    let answer = StoredValue::new(use_context::<NewKeyAnswer>());
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let keys_path = format!("/orgs/{}/keys", org.get_untracked());
                match (options.await, answer.get_value()) {
                    // Shown whatever became of the options: there is no second chance to.
                    (_, Some(FormAnswer::Done(made))) => view! { <CreatedKey keys_path made/> }.into_any(),
                    (Ok(options), Some(FormAnswer::Refused { values, errors })) => {
                        view! { <NewKey keys_path options values errors/> }.into_any()
                    }
                    (Ok(_), Some(FormAnswer::Failed(error))) => view! { <ErrorView error/> }.into_any(),
                    // The server answers that with a redirect, not with this page.
                    (Ok(_), Some(FormAnswer::Elsewhere { .. })) => ().into_any(),
                    (Ok(options), None) => {
                        let values = options.blank();
                        view! { <NewKey keys_path options values errors=Vec::new()/> }.into_any()
                    }
                    (Err(error), _) => view! { <ErrorView error/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn NewKey(
    keys_path: String,
    options: NewKeyOptions,
    values: NewKeyForm,
    errors: Vec<FieldSentence>,
) -> impl IntoView {
    view! {
        <Breadcrumbs above=vec![(keys_path.clone(), "Keys".to_owned())] here="New key"/>
        <PageHead title="New key"/>
        <NewKeyFormView keys_path options values errors/>
    }
}
