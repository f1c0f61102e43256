//! The chart under the pointer and the keyboard: the numbers of a step, and a part of the time that is selected.

use std::{cell::Cell, rc::Rc};

use leptos::{ev, prelude::*, web_sys};

use super::elements::{all, within};

/// Listens until the handles are dropped.
pub struct Scrub([Option<WindowListenerHandle>; 4]);

impl Drop for Scrub {
    fn drop(&mut self) {
        for handle in self.0.iter_mut().filter_map(Option::take) {
            handle.remove();
        }
    }
}

/// Shows the step under the pointer in the chart of the element with the ID `root`, and calls `zoom` with the start and the end of
/// the steps that are selected.
pub fn listen(root: &'static str, zoom: impl Fn(&str, &str) + Copy + 'static) -> Scrub {
    // The step where the pointer was pressed.
    let pressed: Rc<Cell<Option<usize>>> = Rc::default();
    let (at_move, at_down, at_up) = (Rc::clone(&pressed), Rc::clone(&pressed), pressed);
    let moved = window_event_listener(ev::pointermove, move |event| {
        let step = step_of(root, &event);
        match (at_move.get(), step) {
            (Some(first), Some(last)) => mark(root, first, last),
            (None, Some(step)) => mark(root, step, step),
            (_, None) => {}
        }
    });
    let down = window_event_listener(ev::pointerdown, move |event| {
        // A finger scrolls.
        if event.button() == 0 && event.pointer_type() != "touch" && step_of(root, &event).is_some()
        {
            event.prevent_default();
            at_down.set(step_of(root, &event));
        }
    });
    let up = window_event_listener(ev::pointerup, move |event| {
        if let (Some(first), Some(last)) = (at_up.take(), step_of(root, &event))
            && first != last
        {
            select(root, first, last, zoom);
        }
    });
    let key = window_event_listener(ev::keydown, move |event| {
        let Some(slider) = within(&event, &format!("#{root} .scrub")) else {
            return;
        };
        let last = hits(root).len().saturating_sub(1);
        let at = slider.get_attribute("aria-valuenow");
        let at: usize = at.and_then(|at| at.parse().ok()).unwrap_or(last);
        let to = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => at.saturating_sub(1),
            "ArrowRight" | "ArrowUp" => (at + 1).min(last),
            "Home" => 0,
            "End" => last,
            "Enter" => return select(root, at, at, zoom),
            _ => return,
        };
        event.prevent_default();
        mark(root, to, to);
    });
    Scrub([Some(moved), Some(down), Some(up), Some(key)])
}

/// Makes a new chart reachable by keyboard.
pub fn prepare(root: &str) {
    let last = hits(root).len().saturating_sub(1).to_string();
    for slider in all(&format!("#{root} .scrub")) {
        for (name, value) in [
            ("tabindex", "0"),
            ("aria-valuemax", &last),
            ("aria-valuenow", &last),
        ] {
            // If it fails, the table has the same numbers.
            let _ = slider.set_attribute(name, value);
        }
        let _ = slider.remove_attribute("hidden");
    }
}

fn hits(root: &str) -> Vec<web_sys::Element> {
    all(&format!("#{root} .hit"))
}

/// The place of the step under the pointer.
fn step_of(root: &str, event: &ev::PointerEvent) -> Option<usize> {
    let hit = within(event, &format!("#{root} .hit"))?;
    hits(root).iter().position(|other| *other == hit)
}

/// Shows the numbers of a step, or of the first and the last of those that are selected.
fn mark(root: &str, first: usize, last: usize) {
    let hits = hits(root);
    let (from, to) = (first.min(last), first.max(last));
    let text_of = |place: usize| {
        hits.get(place)
            .and_then(|hit| hit.text_content())
            .unwrap_or_default()
    };
    for (place, hit) in hits.iter().enumerate() {
        let class = if (from..=to).contains(&place) {
            "hit at"
        } else {
            "hit"
        };
        let _ = hit.set_attribute("class", class);
    }
    let text = if from == to {
        text_of(from)
    } else {
        let label_of = |place| {
            let text = text_of(place);
            text.split_once(": ")
                .map_or(String::new(), |(label, _)| label.to_owned())
        };
        format!("{} – {}", label_of(from), label_of(to))
    };
    for line in all(&format!("#{root} .readout")) {
        line.set_text_content(Some(&text));
    }
    for slider in all(&format!("#{root} .scrub")) {
        let _ = slider.set_attribute("aria-valuenow", &last.to_string());
        let _ = slider.set_attribute("aria-valuetext", &text);
    }
}

fn select(root: &str, first: usize, last: usize, zoom: impl Fn(&str, &str)) {
    let hits = hits(root);
    let (from, to) = (hits.get(first.min(last)), hits.get(first.max(last)));
    let from = from.and_then(|hit| hit.get_attribute("data-from"));
    let to = to.and_then(|hit| hit.get_attribute("data-to"));
    if let (Some(from), Some(to)) = (from, to) {
        zoom(&from, &to);
    }
}
