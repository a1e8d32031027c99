// Sets the player's theme before the first paint, and that there are scripts: a classic script in the head, since modules
// run after it.
document.documentElement.classList.add("scripted");
try {
  const settings = JSON.parse(localStorage.getItem("settings") ?? "{}");
  if (settings.theme === "dark" || settings.theme === "light") document.documentElement.dataset.theme = settings.theme;
  if (settings.contrast === true) document.documentElement.dataset.contrast = "high";
} catch {
  // storage is forbidden, or has something else under this name: the system's theme stays
}
