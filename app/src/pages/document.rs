//! The HTML document around every page.

use leptos::prelude::*;
use leptos_meta::MetaTags;

use super::App;
use crate::site::AssetNames;

pub fn shell(assets: &AssetNames) -> impl IntoView {
    // Only islands are hydrated, from their own props. Without this, every page would also contain its serialized data.
    if let Some(context) = Owner::current_shared_context() {
        context.set_is_hydrating(false);
    }
    let nonce = leptos::nonce::use_nonce();
    let there = |path: &str| (!path.is_empty()).then(|| path.to_owned());
    let module = there(&assets.js).map(|js| {
        view! {
            <link rel="modulepreload" href=js.clone() nonce=nonce.clone()/>
            <script type="module" src=js nonce=nonce></script>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                {there(&assets.css).map(|css| view! { <link rel="stylesheet" href=css/> })}
                {assets.fonts.iter().cloned().map(|font| view! {
                    <link rel="preload" href=font r#as="font" r#type="font/woff2" crossorigin=""/>
                }).collect_view()}
                {there(&assets.favicon).map(|icon| view! { <link rel="icon" href=icon r#type="image/svg+xml"/> })}
                {module}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
