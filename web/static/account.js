/** The dialog of the account: sign up and sign in, or sign out, a new password, and the end of the account. */

import { Refused, Unreachable } from "./api.js";
import { makeAlert, showDialog } from "./dialog.js";
import { make, name } from "./dom.js";
import { typed } from "./entry.js";
import { LETTERS } from "./letters.js";
import { SessionEnded, changePassword, currentUser, deleteAccount, signIn, signOut, signUp } from "./session.js";
import { TEXTS } from "./texts.js";

/** Returns when the dialog is closed. */
export async function open() {
  const parts = showDialog(currentUser() ? TEXTS.yourAccount : TEXTS.signUp);
  if (currentUser()) drawAccount(parts);
  else drawSignUp(parts);
  await parts.closed;
}

function drawSignUp(parts) {
  const { dialog, heading, body } = parts;
  heading.textContent = TEXTS.signUp;
  body.replaceChildren(
    make("p", {}, typed().length === LETTERS ? TEXTS.signUpToSend(typed()) : TEXTS.signUpToPlay),
    makeForm({
      fields: [nameField(), passwordField("password", "new-password", TEXTS.newPasswordHint)],
      submit: TEXTS.signUp,
      act: ({ username, password }) => signUp(username, password),
      dialog,
    }),
    make("p", {}, TEXTS.haveAccount, " ", linkButton(TEXTS.signIn, () => drawSignIn(parts))),
  );
  body.querySelector("input").focus();
}

function drawSignIn(parts) {
  const { dialog, heading, body } = parts;
  heading.textContent = TEXTS.signIn;
  body.replaceChildren(
    makeForm({
      fields: [nameField(), passwordField("password", "current-password")],
      submit: TEXTS.signIn,
      act: ({ username, password }) => signIn(username, password),
      dialog,
    }),
    make("p", {}, TEXTS.noAccount, " ", linkButton(TEXTS.signUp, () => drawSignUp(parts))),
    make("p", { class: "small" }, TEXTS.oldPlayers),
  );
  body.querySelector("input").focus();
}

function drawAccount({ dialog, body }) {
  const outcome = makeAlert();
  const leave = () => attempt(outcome, dialog, signOut);
  body.replaceChildren(
    make("p", {}, TEXTS.signedInAs, " ", make("strong", {}, name(currentUser().username))),
    make("button", { type: "button", class: "primary", onclick: leave }, TEXTS.signOut),
    outcome,
    make("details", {}, make("summary", {}, TEXTS.changePassword), makeForm({
      fields: [
        hiddenName(),
        passwordField("old", "current-password"),
        passwordField("password", "new-password", TEXTS.newPasswordHint),
      ],
      submit: TEXTS.changePassword,
      act: ({ old, password }) => changePassword(old, password),
      dialog,
    })),
    make("details", {}, make("summary", {}, TEXTS.deleteAccount), make("p", {}, TEXTS.deleteWarning), makeForm({
      fields: [hiddenName(), passwordField("current", "current-password")],
      submit: TEXTS.deleteForGood,
      act: ({ current }) => deleteAccount(current),
      dialog,
    })),
  );
}

/** A form that keeps its fields when the service refuses, and closes the dialog on success. */
function makeForm({ fields, submit, act, dialog }) {
  const outcome = makeAlert();
  const button = make("button", { class: "primary" }, submit);
  const form = make("form", { method: "post" }, ...fields, outcome, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    await attempt(outcome, dialog, () => act(Object.fromEntries(new FormData(form))));
    button.disabled = false;
  });
  return form;
}

async function attempt(outcome, dialog, act) {
  outcome.textContent = "";
  try {
    await act();
    dialog.close();
  } catch (error) {
    if (error instanceof SessionEnded) dialog.close();
    else if (error instanceof Refused || error instanceof Unreachable) outcome.textContent = describe(error);
    else throw error;
  }
}

function describe(error) {
  return error.retryAfterS ? TEXTS.againIn(error.message, error.retryAfterS) : error.message;
}

function nameField() {
  return field("username", TEXTS.name, { autocomplete: "username", autocapitalize: "none", spellcheck: "false" }, TEXTS.nameHint);
}

function passwordField(key, autocomplete, hint) {
  const label = { old: TEXTS.oldPassword, current: TEXTS.yourPassword }[key] ?? TEXTS.password;
  return field(key, label, { type: "password", autocomplete }, hint);
}

function field(key, label, properties, hint = null) {
  const id = `field-${key}-${properties.autocomplete}`;
  return make("p", { class: "field" },
    make("label", { for: id }, label),
    make("input", { id, name: key, required: true, "aria-describedby": hint ? `${id}-hint` : null, ...properties }),
    hint ? make("span", { class: "small", id: `${id}-hint` }, hint) : null);
}

/** Tells a password manager whose password it is. */
function hiddenName() {
  return make("input", { name: "username", autocomplete: "username", value: currentUser().username, hidden: true });
}

function linkButton(text, onclick) {
  return make("button", { type: "button", class: "link", onclick }, text);
}
