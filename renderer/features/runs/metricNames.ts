/** What the quantities of a run are called, and how their numbers are written. */
import { decimal, percent } from '../../figures/quantities.ts';

interface MetricName {
  label: string;
  /** Of the axis; empty for plain numbers. */
  unit?: string;
  share?: boolean;
}

const known: Record<string, MetricName> = {
  loss: { label: 'Training loss', unit: 'nats per token' },
  trainLoss: { label: 'Loss on training examples', unit: 'nats per token' },
  inDistLoss: { label: 'ID loss', unit: 'nats per token' },
  oodLoss: { label: 'OOD loss', unit: 'nats per token' },
  inDistAccuracy: { label: 'ID accuracy', share: true },
  oodAccuracy: { label: 'OOD accuracy', share: true },
  inDistFormatAccuracy: { label: 'ID format right', share: true },
  oodFormatAccuracy: { label: 'OOD format right', share: true },
  oodRuleSlips: { label: 'OOD rule slips', share: true },
  successRate: { label: 'Success of rollouts', share: true },
  formatRate: { label: 'Format of rollouts right', share: true },
  clipFraction: { label: 'Clip fraction', share: true },
  reward: { label: 'Reward' },
  approxKl: { label: 'Approximate KL', unit: 'nats' },
  anchorKl: { label: 'KL to the base', unit: 'nats' },
  entropy: { label: 'Entropy', unit: 'nats per token' },
  explainedVariance: { label: 'Explained variance' },
  gradNorm: { label: 'Gradient norm' },
  updateNorm: { label: 'Update norm' },
  learningRate: { label: 'Learning rate' },
  tokensPerSecond: { label: 'Tokens per second' },
};

/** "updateNormLayer2" -> "Update norm, layer 2". */
export function metricLabel(name: string): string {
  const [, base = name, layer] = /^(.*?)Layer(\d+)$/.exec(name) ?? [];
  const words = base.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  const label = known[base]?.label ?? words.charAt(0).toUpperCase() + words.slice(1);
  return layer === undefined ? label : `${label}, layer ${layer}`;
}

/** For an axis: "OOD accuracy (%)". */
export function metricAxis(name: string): string {
  const unit = isShare(name) ? '%' : known[name]?.unit;
  return unit === undefined ? metricLabel(name) : `${metricLabel(name)} (${unit})`;
}

export const isShare = (name: string): boolean => known[name]?.share === true;
export const metricText = (name: string, value: number): string => (isShare(name) ? percent(value) : decimal(value));
