// Suggests a team's address from its name, until somebody types an address of their own.
const source = document.querySelector("[data-slug-source]");
const target = document.querySelector("[data-slug-target]");

const slugOf = (name) =>
  name
    .normalize("NFKD")
    .replace(/\p{Diacritic}/gu, "")
    .replaceAll("ß", "ss")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 50)
    .replace(/^-+|-+$/g, "");

if (source && target) {
  let own = target.value !== "" && target.value !== slugOf(source.value);
  target.addEventListener("input", () => {
    own = target.value !== "";
  });
  const suggest = () => {
    if (!own) target.value = slugOf(source.value);
  };
  source.addEventListener("input", suggest);
  suggest(); // what was typed before this script came
}
