/** The engine's token: arrives in the URL fragment, lives in this tab's session storage, never in a query. */

const storageKey = 'rotascope.token';

/**
 * Takes `#token=...` out of the address and remembers it for this tab.
 * @returns the token of this tab; empty when there is none.
 */
export function takeToken(): string {
  const fragment = new URLSearchParams(window.location.hash.replace(/^#/, ''));
  const given = fragment.get('token');
  if (given !== null && given !== '') {
    fragment.delete('token');
    const rest = fragment.toString();
    const address = window.location.pathname + window.location.search + (rest === '' ? '' : `#${rest}`);
    window.history.replaceState(window.history.state, '', address);
    sessionStorage.setItem(storageKey, given);
    return given;
  }
  return sessionStorage.getItem(storageKey) ?? '';
}
