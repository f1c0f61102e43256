// Starts the islands when the page has loaded and the browser is idle, or at the first input. Until then the page works
// as without JavaScript, and the first view waits for no WebAssembly.

// On a narrow screen, the current page is in view in the navigation, which scrolls.
// Not with scrollIntoView: Chromium 148 would continue from there at the first Tab, and skip the link to the content.
const current = document.querySelector(".nav [aria-current=page]");
const middle = (element) => {
const { left, right } = element.getBoundingClientRect();
return (left + right) / 2;
};
if (current) current.closest(".nav").scrollLeft += middle(current) - middle(current.closest(".nav"));

// A menu that would end below the screen opens upward.
addEventListener("toggle", ({ target }) => {
if (!target.matches("details.menu[open]")) return;
target.classList.remove("above");
const list = target.querySelector("ul").getBoundingClientRect();
const isBelow = list.bottom > innerHeight && target.getBoundingClientRect().top > list.height;
target.classList.toggle("above", isBelow);
}, true);

// Repeats what someone did too early for an island: presses of its buttons, and Ctrl K or ⌘ K for the palette.
let repeat = () => {};
const inputs = ["pointerdown", "keydown", "focusin", "click"];
const onInput = (event) => {
start();
if (event.type === "click") {
const button = event.target.closest("leptos-island button[type=button]:not([popovertarget], [commandfor])");
if (button) repeat = () => button.click();
}
if (event.type === "keydown" && (event.ctrlKey || event.metaKey) && event.key === "k") {
event.preventDefault();
const { key, code, ctrlKey, metaKey } = event;
const again = new KeyboardEvent("keydown", { key, code, ctrlKey, metaKey, bubbles: true, cancelable: true });
repeat = () => event.target.dispatchEvent(again);
}
};
for (const input of inputs) addEventListener(input, onInput, true);

let started = false;
const start = async () => {
if (started) return;
started = true;
await __wbg_init();
hydrate();
// The function of each island is exported under the name in the island's element. Nested islands have no element of
// their own.
const module = await import(import.meta.url);
const wake = (part) => part.querySelectorAll("leptos-island").forEach((island) => module[island.dataset.component](island));
wake(document);
// For a part of the page that is inserted later.
document.addEventListener("islands", (event) => wake(event.target), true);
for (const input of inputs) removeEventListener(input, onInput, true);
// The islands add their listeners in tasks that hydration has queued.
setTimeout(() => repeat());
// Tells measurements and browser tests that the page is hydrated.
performance.mark("hydrated");
};
const whenIdle = () => "requestIdleCallback" in window ? requestIdleCallback(start, { timeout: 2000 }) : setTimeout(start, 200);
if (document.readyState === "complete") whenIdle(); else addEventListener("load", whenIdle);
