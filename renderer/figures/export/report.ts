/**
 * A study as one HTML file: what it says in words, its figures as inline SVG with their numbers as tables, its settings and
 * where the numbers come from. Nothing is loaded and no script runs, so it opens anywhere, now and in ten years.
 */
import type { Study } from '../../../main/contract/api.ts';
import type { StudyResult } from '../../../main/contract/studyResult.ts';
import type { FigureTable } from '../figure.ts';
import { decimal } from '../quantities.ts';
import { exportFrame, type ExportStyle } from './exportStyle.ts';
import type { SourcedFigure } from './figureFiles.ts';
import { escapeXml as text, svgFigure } from './svgFigure.ts';

/** Nothing but this file's own styles, whatever a name in it may hold. */
const policy = "default-src 'none'; style-src 'unsafe-inline'";
const styles = `
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #17212b; background: #fff; font: 15px/1.55 Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.4rem; font-size: 1.2rem; } h3 { margin: 2rem 0 0.2rem; font-size: 1rem; }
figure { margin: 0 0 1.5rem; break-inside: avoid; } figure > svg { max-width: 100%; height: auto; }
figcaption, .facts { color: #51606e; font-size: 0.87rem; }
.scroll { max-height: 26rem; overflow: auto; }
table { border-collapse: collapse; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem 0.2rem 0; border-bottom: 1px solid #d5dce2; text-align: left; vertical-align: top; }
pre { overflow: auto; max-height: 30rem; padding: 0.8rem; background: #edf1f4; font-size: 0.78rem; }
summary { cursor: pointer; color: #0a6096; font-size: 0.87rem; }
`;

const cell = (value: string | number | null): string =>
  value === null ? '–' : typeof value === 'number' ? String(Number(value.toPrecision(6))) : text(value);

function table({ columns, rows }: FigureTable): string {
  const line = (tag: string, cells: string[]): string =>
    `<tr>${cells.map((one) => `<${tag}>${one}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) => line('td', row.map(cell))).join('\n');
  return `<div class="scroll"><table><thead>${line('th', columns.map(text))}</thead><tbody>\n${body}\n</tbody></table></div>`;
}

const folded = (summary: string, inner: string): string =>
  `<details><summary>${text(summary)}</summary>${inner}</details>`;
const json = (value: unknown): string => `<pre>${text(JSON.stringify(value, null, 2))}</pre>`;

function figureSection({ figure, source }: SourcedFigure, style: ExportStyle): string {
  const svg = svgFigure(figure.title, figure.build, style);
  const drawn = figure.build(exportFrame(style));
  if (svg === null || drawn === null) return '';
  const { title, note, paper } = figure;
  const corresponds =
    paper === undefined
      ? ''
      : ` Corresponds to ${paper.includes(',') ? 'Figures' : 'Figure'} ${text(paper)} of the paper.`;
  return `<h3 id="${text(figure.name)}">${text(title)}</h3>
<figure>
${svg.text.replace(/^<\?xml[^>]*>\s*/, '')}
<figcaption>${text(note)}${corresponds} From: ${text(source.name)}.</figcaption>
</figure>
${folded(`The ${drawn.table.rows.length} rows behind it`, table(drawn.table))}`;
}

function acrossTable(across: StudyResult['across']): string {
  if (across === null || across.rows.length === 0) return '';
  const rows = across.rows.map(({ name, mean, interval, perSeed }) => [
    name,
    mean,
    interval === null ? null : `${decimal(interval.low)} to ${decimal(interval.high)} (${interval.covers})`,
    perSeed.map(decimal).join(', '),
  ]);
  return `<h2>Over the seeds</h2>\n${table({ columns: ['quantity', 'mean', 'interval', 'each seed'], rows })}`;
}

/** Leaves of the settings, as the command line's --set names them. */
function settingRows(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => settingRows(inner, path === '' ? key : `${path}.${key}`));
}

/** @param now when it is written */
export function reportHtml(
  study: Study,
  result: StudyResult,
  figures: SourcedFigure[],
  style: ExportStyle,
  now: Date,
): string {
  const words = result.words.map((sentence) => `<p>${text(sentence.trim())}</p>`).join('\n');
  const stages = study.stages.map(({ title, seed, state }) => [title, seed < 0 ? 'all' : seed, state]);
  const sources = [...new Map(figures.map(({ source }) => [source.name, source.provenance()])).values()];
  const sections = figures.map((one) => figureSection(one, style)).filter((section) => section !== '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Rotascope">
<title>${text(study.name)}</title>
<style>${styles}</style>
</head>
<body>
<h1>${text(study.name)}</h1>
<p class="facts">Seeds ${study.settings.seeds.join(', ')}; ${study.settings.task.evaluationEpisodes} episodes a split; ${result.complete ? 'complete' : 'not complete yet'}; settings ${text(result.study.settingsHash.slice(0, 12))}; written ${text(now.toISOString())}.</p>
<h2>In words</h2>
${words === '' ? '<p>No seed has been tested yet.</p>' : words}
${acrossTable(result.across)}
<h2>Figures</h2>
${sections.join('\n')}
<h2>Settings</h2>
${folded('Every setting', table({ columns: ['setting', 'value'], rows: settingRows(study.settings) }))}
<h2>Stages</h2>
${folded(`${study.stages.length} stages`, table({ columns: ['stage', 'seed', 'state'], rows: stages }))}
<h2>Provenance</h2>
${folded('Seeds, versions, content hashes', json(sources))}
</body>
</html>
`;
}
