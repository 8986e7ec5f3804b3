// What every HTMX request of the application shares: the CSRF token, and a word when something did not load.
const trouble = document.getElementById("trouble");

function say(text) {
  if (!trouble) return;
  const message = document.createElement("p");
  message.className = "message error";
  message.textContent = text;
  trouble.replaceChildren(message);
}

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
});
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 403) say("That is for admins of the team, or the page is too old. Load it again and retry.");
  else if (status === 404) say("That does not exist any more. Load the page again.");
  else if (status === 429) say("Too many requests. Wait a minute, then retry.");
  else say(`The server could not do that (error ${status}). Nothing was changed here; retry in a moment.`);
});
document.addEventListener("htmx:sendError", () => say("No connection to the server. What you see may be old."));
document.addEventListener("htmx:timeout", () => say("The server took too long to answer. What you see may be old."));
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.successful !== false) trouble?.replaceChildren();
});
