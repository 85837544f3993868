// Owns how an endpoint's URL is shown where it is only named.

/** Without user and query, where people put secrets. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? 'a URL' : parsed.origin + parsed.pathname
}
