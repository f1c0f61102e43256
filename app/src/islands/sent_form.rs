//! What a form would send.

use leptos::{
    wasm_bindgen::JsCast,
    web_sys::{FormData, HtmlFormElement, SubmitEvent},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The fields of the form that is submitted, by the names that `T` has for them: a text, or the texts of a field that is
/// there several times. `None` where the browser does not say.
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
