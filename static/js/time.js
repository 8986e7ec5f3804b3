// <time datetime data-style>: into the viewer's time zone; relative ones keep up with the clock.
// "Sept" is what en-GB says, "Sep" what the server does.
function format(options) {
  const words = new Intl.DateTimeFormat("en-GB", options);
  return { format: (date) => words.format(date).replace("Sept", "Sep") };
}
const exact = format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
const styles = {
  date: format({ day: "numeric", month: "short", year: "numeric" }),
  day: format({ day: "numeric", month: "short" }),
  datetime: format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
  time: format({ hour: "2-digit", minute: "2-digit" }),
};
const thisYear = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
styles.moment = { format: (date) => (date.getFullYear() === new Date().getFullYear() ? thisYear : styles.datetime).format(date) };
const units = [["d", 86400], ["h", 3600], ["min", 60]];

function relative(date, now) {
  const seconds = (now - date) / 1000;
  const size = Math.abs(seconds);
  if (size < 60) return seconds >= 0 ? "just now" : "in a moment";
  if (size > 30 * 86400) return styles.date.format(date);
  const [unit, length] = units.find(([, length]) => size >= length);
  const said = `${Math.floor(size / length)} ${unit}`;
  return seconds >= 0 ? `${said} ago` : `in ${said}`;
}

function show(root, onlyRelative = false) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time[data-style]")) {
    const date = new Date(element.dateTime);
    const style = element.dataset.style;
    if (onlyRelative && style !== "relative") continue;
    const text = style === "relative" ? relative(date, now) : styles[style].format(date);
    if (element.textContent !== text) element.textContent = text; // a text that is set anew loses its selection
    if (!onlyRelative) element.title = exact.format(date);
  }
}

show(document);
document.addEventListener("htmx:load", (event) => show(event.detail.elt.parentElement ?? document));
setInterval(() => show(document, true), 30_000);
