/** Before the first frame, so that nobody who chose the dark is dazzled: a plain script, loaded at once. */
try {
  const theme = JSON.parse(localStorage.getItem("sorami.theme") ?? "null");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's choice holds.
}
