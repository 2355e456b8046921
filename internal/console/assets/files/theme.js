// Runs before anything is shown: the theme that somebody chose, and that there are scripts.
const root = document.documentElement;
root.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
} catch { /* storage is switched off: the system's theme it is */ }
