/** Loads more.css, the styles of the result and of the dialogs, before the module that imports this goes on. */

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = new URL("./more.css", import.meta.url).pathname;
document.head.append(sheet);
await new Promise((resolve) => {
  sheet.addEventListener("load", resolve);
  sheet.addEventListener("error", resolve); // plain, but usable
});
