//! Reads the fields of a form that is being submitted.

use leptos::{
    wasm_bindgen::JsCast,
    web_sys::{FormData, HtmlFormElement, SubmitEvent},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Reads the submitted form into `T`, whose fields have the names of the form's fields: strings, or lists of strings
/// for repeated fields. `None` if the browser does not provide them.
pub fn sent_form<T: Default + Serialize + DeserializeOwned>(event: &SubmitEvent) -> Option<T> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let sent = FormData::new_with_form(&form).ok()?;
    let mut fields = json!(T::default());
    for (name, field) in fields.as_object_mut()? {
        *field = match field {
            Value::Array(_) => {
                let texts = sent.get_all(name).into_iter();
                texts.filter_map(|text| text.as_string()).collect()
            }
            _ => sent.get(name).as_string().unwrap_or_default().into(),
        };
    }
    serde_json::from_value(fields).ok()
}
