/**
 * The page that the window shows when the lab cannot: the fact, what was lost, what can be done. One document without
 * scripts, so that it needs neither the engine nor the bridge; its buttons are links that the shell takes as actions.
 * Knows nothing of Electron.
 */

export interface CrashReport {
  /** "The engine ended with code 1." */
  fact: string;
  /** What it means for the user's work, and the next step. */
  nextStep: string;
  /** Last lines of what crashed, newest last. */
  lines: readonly string[];
  /** What can be done, the first one first; restart, copy diagnostics and quit unless given. */
  actions?: readonly (readonly [action: CrashAction, label: string])[];
}

export const crashActions = ['restart', 'copy', 'leave', 'quit'] as const;
export type CrashAction = (typeof crashActions)[number];

const usualActions = [
  ['restart', 'Restart'],
  ['copy', 'Copy diagnostics'],
  ['quit', 'Quit'],
] as const;

/** Enough to recognise an error without filling the screen. */
const shownLines = 12;
const scheme = 'rotascope-action:';

/** @param said what the last action did: "The diagnostics are on the clipboard." */
export function crashPageAddress(report: CrashReport, said = ''): string {
  return `data:text/html;charset=utf-8,${encodeURIComponent(crashPage(report, said))}`;
}

/** The action that an address of this page stands for; null for any other address. */
export function actionOfAddress(address: string): CrashAction | null {
  if (!address.startsWith(scheme)) return null;
  const name = address.slice(scheme.length);
  return crashActions.find((action) => action === name) ?? null;
}

export function crashPage({ fact, nextStep, lines, actions = usualActions }: CrashReport, said = ''): string {
  const shown = lines.slice(-shownLines).join('\n');
  const details =
    shown === '' ? '' : `<h2>Last lines</h2><div class="lines" tabindex="0"><pre>${escaped(shown)}</pre></div>`;
  const links = actions.map(
    ([action, label], index) =>
      `<a ${index === 0 ? 'class="primary" autofocus ' : ''}href="${scheme}${action}">${label}</a>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rotascope has stopped</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(fact)}</h1>
<p>${escaped(nextStep)}</p>
<p class="actions">
${links.join('\n')}
</p>
<p class="said" role="status">${escaped(said)}</p>
${details}
</main>
</body>
</html>`;
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The colours of renderer/styles/theme.css: this page cannot read that file. */
const style = `
:root { --ground: #f4f6f8; --surface: #ffffff; --ink: #17212b; --muted: #51606e; --line: #7b8894; --accent: #0a6096; --on: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #10161b; --surface: #161d24; --ink: #e8edf2; --muted: #a9b6c2; --line: #6f7d8a; --accent: #6cbcf0; --on: #06202f; }
}
body { display: grid; align-content: center; justify-content: center; min-height: 100vh; margin: 0; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
main { box-sizing: border-box; width: min(720px, 100vw - 32px); margin: 16px 0; padding: 28px 32px; border: 1px solid var(--line);
  border-radius: 12px; background: var(--surface); overflow-wrap: anywhere; }
h1 { margin: 0 0 8px; font-size: 21px; line-height: 1.3; }
h2 { margin: 20px 0 6px; font-size: 13px; color: var(--muted); }
p { margin: 0 0 10px; }
.actions { margin: 18px 0 10px; }
a { display: inline-block; margin: 0 8px 8px 0; padding: 6px 14px; border: 1px solid var(--line); border-radius: 8px;
  color: var(--ink); text-decoration: none; font-weight: 550; }
a.primary { border-color: var(--accent); background: var(--accent); color: var(--on); }
a:focus { outline: 3px solid var(--accent); outline-offset: 2px; }
.said { color: var(--muted); }
.said:empty { display: none; }
/* Reversed, so that it begins at the newest line. */
.lines { display: flex; flex-direction: column-reverse; max-height: 300px; overflow: auto; border: 1px solid var(--line);
  border-radius: 8px; background: var(--ground); }
.lines:focus { outline: 3px solid var(--accent); outline-offset: 2px; }
pre { margin: 0; padding: 12px; white-space: pre-wrap; font: 12.5px/1.5 ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace; }
`;
