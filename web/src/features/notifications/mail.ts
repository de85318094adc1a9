// A mail's HTML made fit to be looked at here. The frame it is shown in runs no script and reaches nothing; this takes away what would
// only disturb: links that would lead the frame away, and anything that would be fetched. Pure.

/** The same mail, with links that lead nowhere. */
export function previewable(html: string): string {
  const page = new DOMParser().parseFromString(html, 'text/html');
  page.querySelectorAll('script, link, base, meta[http-equiv], iframe, object, embed').forEach((element) => element.remove());
  page.querySelectorAll('[href], [action], [formaction]').forEach((element) => ['href', 'action', 'formaction'].forEach((name) => element.removeAttribute(name)));
  return `<!doctype html>${page.documentElement.outerHTML}`;
}
