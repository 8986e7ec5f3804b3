// System, light or dark, remembered in this browser. A classic script in the head: it runs before the first paint.
(() => {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];

  const remembered = () => {
    try {
      return localStorage.getItem("theme") ?? "system";
    } catch {
      return "system"; // storage is switched off: the choice lasts until the page is left
    }
  };
  const remember = (theme) => {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // as above
    }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  };
  const current = () => root.dataset.theme ?? "system";
  const label = () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false; // without this script it would do nothing
      button.setAttribute("aria-label", `Theme: ${current()}`);
      button.title = `Theme: ${current()}`;
    }
  };

  apply(remembered());
  document.addEventListener("DOMContentLoaded", label);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = order[(order.indexOf(current()) + 1) % order.length];
    remember(next);
    apply(next);
    label();
  });
  addEventListener("storage", (event) => {
    if (event.key === "theme") {
      apply(event.newValue ?? "system");
      label();
    }
  });
})();
