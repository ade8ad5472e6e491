/** `README.md` of an exported point: what was done to which checkpoint, for people and as JSON, and what rounding took back. */
import type { ExportPointRequest, ExportReport, ModelEditRecord, SweepPoint } from '../../contract/sweeps.ts';
import type { TensorRounding } from '../checkpoints/copyShard.ts';

/** From here on rounding changes what the edit is (definitions: "Rounding"). */
const warnedShare = 0.1;

export interface ExportRecipe {
  format: 'rotascope-export';
  version: 1;
  pair: { label: string; target: CheckpointName; reference: CheckpointName };
  point: SweepPoint;
  settings: ExportPointRequest['settings'];
  dtype: ExportPointRequest['dtype'];
  versions: Record<string, unknown>;
}

interface CheckpointName {
  name: string;
  step: number | null;
  /** SHA-256 over name, type, shape and bytes of every tensor. */
  contentHash: string;
}

export function roundingReport(
  roundings: readonly TensorRounding[],
): Pick<ExportReport, 'matrices' | 'worstRoundingShare' | 'warnings'> {
  const matrices = roundings.map(({ weight, dtype, roundingNorm, changeNorm }) => {
    return { weight, dtype, roundingShare: changeNorm === 0 ? null : roundingNorm / changeNorm };
  });
  const shares = matrices.flatMap(({ roundingShare }) => (roundingShare === null ? [] : [roundingShare]));
  const worstRoundingShare = shares.length === 0 ? null : Math.max(...shares);
  const over = matrices.filter(({ roundingShare }) => roundingShare !== null && roundingShare > warnedShare);
  const warnings =
    over.length === 0
      ? []
      : [
          `Rounding to ${[...new Set(over.map(({ dtype }) => dtype))].join(' and ')} takes back more than a tenth of the edit in ${over.length} of ${matrices.length} tensors (worst: ${percent(worstRoundingShare!)}, ${over.reduce((a, b) => (a.roundingShare! > b.roundingShare! ? a : b)).weight}). Export as F32 to keep it.`,
        ];
  return { matrices, worstRoundingShare, warnings };
}

const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;

const kindWords = {
  singularValues: 'singular values',
  singularVectors: 'singular vectors',
  both: 'singular values and vectors',
} as const;

/** One sentence: what this model is. */
function describePoint(point: SweepPoint, target: string, reference: string): string {
  const { edit, control, layers, ranks, alpha, replicate } = point;
  if (edit === 'none') return `${point.own === 'reference' ? reference : target}, as it is.`;
  if (edit === 'interpolation') return `${target} moved by ${alpha} of the way to ${reference}, in every tensor.`;
  const where = `in ${layers === null ? 'all layers' : `the layers ${layers.join(', ')}`}, ${rankWords(ranks)}`;
  const what = `${target} with the ${kindWords[edit]} of ${reference}, ${where}`;
  if (control === undefined) return `${what}.`;
  if (control === 'dose') return `${what}; the change scaled to the norm that the other kind of edit has.`;
  return `A control (${control}, replicate ${replicate}) of ${what}: changed by the same norm in each matrix, without its structure.`;
}

function rankWords(ranks: SweepPoint['ranks']): string {
  if (ranks === null) return 'all ranks';
  const parts = [
    ranks.top === undefined ? [] : [`the top ${ranks.top} ranks`],
    ranks.bottom === undefined ? [] : [`the bottom ${ranks.bottom} ranks`],
    ranks.band === undefined ? [] : [`ranks ${ranks.band[0]} to ${ranks.band[1] - 1} (0 = first)`],
  ].flat();
  return parts.length === 0 ? 'no rank' : parts.join(' and ');
}

export function modelCard(recipe: ExportRecipe, report: ExportReport, record: ModelEditRecord): string {
  const { pair, point } = recipe;
  const { target, reference } = pair;
  const sentence = describePoint(point, `"${target.name}"`, `"${reference.name}"`);
  const rounding =
    report.worstRoundingShare === null
      ? 'No tensor differs from its source.'
      : `Worst rounding: ${percent(report.worstRoundingShare)} of the change of a tensor (\`||round(W') - W'|| / ||W' - W_t||\`).`;
  const rows = report.matrices.map(({ weight, dtype, roundingShare }) => {
    const found = record.matrices.find((one) => one.weight === weight);
    const cells = [
      `\`${weight}\``,
      dtype,
      found ? found.relativeChange.toExponential(2) : '',
      found ? String(found.effectiveRank) : '',
      found ? found.orthogonalityDefect.toExponential(1) : '',
      roundingShare === null ? 'unchanged' : roundingShare.toExponential(1),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '---',
    'library_name: transformers',
    'tags: [rotascope, singular-value-decomposition]',
    '---',
    '',
    `# ${pair.label}`,
    '',
    sentence,
    '',
    `Relative change over the edited matrices: ${record.relativeChange.toExponential(3)}. ${rounding}`,
    ...report.warnings.map((warning) => `\n**${warning}**`),
    '',
    '| tensor | type | relative change | ranks | orthogonality defect | rounding share |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Recipe',
    '',
    'Every other tensor is the byte sequence of its source. The same recipe makes the same files:',
    '',
    '```json',
    JSON.stringify(recipe, null, 2),
    '```',
    '',
  ].join('\n');
}
