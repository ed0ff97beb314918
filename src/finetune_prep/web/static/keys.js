// Keys for pages that work without them: each one presses a control that is there. No text of a page is ever put into the page.
"use strict";

const reviewing = document.body.classList.contains("reviewing");
const letters = document.getElementById("letters");
const help = document.getElementById("help");
const STORE = "finetune-prep.letters";

function stored() {
  try { return localStorage.getItem(STORE) !== "off"; } catch { return true; }
}

function store(on) {
  try { localStorage.setItem(STORE, on ? "on" : "off"); } catch { /* private windows keep nothing */ }
}

function control(key) {
  return document.querySelector(`[data-key="${key}"]`);
}

function isField(element) {
  return element instanceof HTMLInputElement && !["radio", "checkbox", "submit"].includes(element.type);
}

function answer(key) {
  const group = document.activeElement.closest(".question");
  if (!group) return false;
  const radios = [...document.querySelectorAll(".question")];
  if (key !== "arrowdown") group.querySelector(`[data-answer="${key}"]`).checked = true;
  const following = radios[radios.indexOf(group) + 1];
  (following ? following.querySelector("input") : document.getElementById("go")).focus();
  return true;
}

function press(key) {
  const found = control(key);
  if (!found) return false;
  if (found.type === "radio") {
    found.checked = true;
    found.focus();
    if (key === "f" && !control("n").value) control("n").focus();
  } else if (found.tagName === "SUMMARY") {
    found.parentElement.open = true;
    document.querySelector(".question input").focus();
  } else if (isField(found)) found.focus();
  else found.click();
  return true;
}

function onward(event) {
  const active = document.activeElement;
  if (active instanceof HTMLButtonElement || active instanceof HTMLAnchorElement || active.tagName === "SUMMARY") return false;
  document.getElementById("go").click();
  return true;
}

function act(event) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || help.open) return false;
  if (key === "escape") {
    document.activeElement.blur();
    return true;
  }
  if (isField(document.activeElement)) return false;
  if (key === "enter") return onward(event);
  if (["y", "n", "x", "arrowdown"].includes(key) && (letters.checked || key === "arrowdown") && answer(key)) return true;
  if (key === "arrowleft" || key === "arrowright") {
    if (document.activeElement.type === "radio") return false;
    location.assign(key === "arrowleft" ? document.body.dataset.previous : document.body.dataset.following);
    return true;
  }
  if (!letters.checked) return false;
  if (key === "?") return help.showModal(), true;
  if (key === "g") return location.assign("/review"), true;
  return press({ 1: "p", 2: "f" }[key] || key);
}

if (reviewing) {
  letters.checked = stored();
  letters.addEventListener("change", () => store(letters.checked));
  document.addEventListener("keydown", (event) => {
    if (act(event)) event.preventDefault();
  });
  document.getElementById("verdict")?.focus({ preventScroll: true });
}
