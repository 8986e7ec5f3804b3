// The tips of a stacked chart lie above all of its columns, so they cannot be children of the column that has them.
// Delegated, so that charts which HTMX brings later work too. Without JavaScript the table below says the same.
const tipOf = (target) => {
  const column = target.closest?.("[data-tip]");
  return column ? document.getElementById(column.dataset.tip) : null;
};
const show = (event) => {
  const tip = tipOf(event.target);
  for (const other of document.querySelectorAll(".tips .is-open")) if (other !== tip) other.classList.remove("is-open");
  tip?.classList.add("is-open");
};
const hide = (event) => tipOf(event.target)?.classList.remove("is-open");

document.addEventListener("pointerover", show);
document.addEventListener("focusin", show);
document.addEventListener("focusout", hide);
